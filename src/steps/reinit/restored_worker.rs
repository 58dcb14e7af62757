use std::time::Duration;

use crate::facts::{Facts, File, Wanted};

use super::super::{Action, Change, RunScript, Step};
use super::EtcdRestore;
use super::restored_etcd::WATCHERS;

/// What watches the API server on this worker has begun anew since etcd went back to a snapshot: whoever has seen a later
/// revision would wait for it to come again.
pub struct RestoredWorker<'a> {
    restore: Option<&'a EtcdRestore>,
}

/// The id of the last restore that this worker has followed.
const FOLLOWED: &str = "/var/lib/kfleet/reinit/restored";
/// The kubelet may take a while to fetch what its pods are told.
const DEADLINE: Duration = Duration::from_secs(240);
const WORKER: &str = include_str!("../../../templates/reinit/worker.sh");

impl<'a> RestoredWorker<'a> {
    /// After this restore, where it is known.
    #[must_use]
    pub fn new(restore: Option<&'a EtcdRestore>) -> Self {
        Self { restore }
    }
}

impl Step for RestoredWorker<'_> {
    fn name(&self) -> &'static str {
        "worker-anew"
    }

    fn probe(&self) -> Wanted {
        Wanted { files: [FOLLOWED.to_owned()].into(), ..Wanted::default() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        let Some(restore) = self.restore else { return Change::none("nothing is to be restored") };
        if !facts.kubeadm.kubeconfigs.contains_key("kubelet") {
            return Change::none("it has not joined; `kfleet up` joins it");
        }
        let followed = match facts.files.get(FOLLOWED) {
            Some(File::Present { contents, .. }) => contents.trim(),
            _ => "",
        };
        if followed == restore.id {
            return Change::none("it has begun anew since etcd was restored");
        }
        // Where its part was begun, the worker's script goes through all of it.
        let script = format!(
            "mkdir -p -m 0700 /var/lib/kfleet/reinit\n: >/var/lib/kfleet/reinit/pending\n{}{WORKER}{WATCHERS}restart_watchers\n\
             printf '%s\\n' \"$id\" >{FOLLOWED}\n",
            restore.prelude(),
        );
        let run = RunScript {
            command: "the worker begins anew with what etcd has now".to_owned(),
            script,
            deadline: DEADLINE,
        };
        let diff = vec![
            "~ kubelet, kube-proxy, the pod network, CoreDNS and what else of kube-system is here are restarted"
                .to_owned(),
            "~ its pods go on, but those that are not in the snapshot".to_owned(),
        ];
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
