use std::time::Duration;

use crate::facts::{Facts, Job, Wanted};
use crate::inventory::{Host, Inventory};
use crate::steps::{Action, Change, Detached, Step, node};

/// The host is no node any more: `kubeadm reset`, detached from the connection.
pub struct NoNode<'a> {
    inventory: &'a Inventory,
    host: &'a Host,
}

/// The job's name.
const JOB: &str = "reset";
/// kubeadm needs some ten seconds, unless it waits for an etcd whose certificate it cannot use: that takes minutes.
const KUBEADM: u32 = 150;
/// Twice that, and what is around it.
const DEADLINE: Duration = Duration::from_secs(6 * 60);

impl<'a> NoNode<'a> {
    /// This host of the inventory.
    #[must_use]
    pub fn new(inventory: &'a Inventory, host: &'a Host) -> Self {
        Self { inventory, host }
    }

    fn job(&self, facts: &Facts) -> Detached {
        let reset = node::reset(self.inventory, self.host, facts);
        let script = format!(
            "data=$(sed -n 's/.*--data-dir=\\([^ \"]*\\).*/\\1/p' /etc/kubernetes/manifests/etcd.yaml 2>/dev/null | head -n 1)
if ! timeout -k 10 {KUBEADM} {reset}; then
    echo '[reset] It did not come to its end: once more, without a word to etcd'
    timeout -k 10 {KUBEADM} {reset} --skip-phases=remove-etcd-member
    [ -z \"$data\" ] || rm -rf \"$data/member\"
fi
systemctl reset-failed kubelet.service 2>/dev/null || :
"
        );
        Detached { script, follow_only: false, command: reset, ..followed() }
    }
}

impl Step for NoNode<'_> {
    fn name(&self) -> &'static str {
        "kubeadm-reset"
    }

    fn probe(&self) -> Wanted {
        Wanted { jobs: [JOB.to_owned()].into(), ..Wanted::default() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        if facts.jobs.get(JOB) == Some(&Job::Running) {
            return change("kubeadm reset, which runs already", followed());
        }
        if !is_node(facts) {
            return Change::none("kubeadm has nothing here");
        }
        let what = match (&facts.kubeadm.manifests, facts.kubeadm.etcd_data) {
            (Some(_), true) => "the control plane, with all that is in its etcd, by kubeadm reset",
            (Some(_), false) => "the control plane, by kubeadm reset",
            (None, _) => "the node, by kubeadm reset",
        };
        change(what, self.job(facts))
    }
}

/// Whether kubeadm has made anything of it.
fn is_node(facts: &Facts) -> bool {
    let state = &facts.kubeadm;
    !state.kubeconfigs.is_empty()
        || state.manifests.is_some()
        || state.ca_certificate.is_some()
        || state.dns_domain.is_some()
}

/// The job as one that is there already.
fn followed() -> Detached {
    Detached::followed(JOB, "kubeadm reset --force", DEADLINE)
}

fn change(what: &str, job: Detached) -> Change {
    Change::Some { diff: vec![format!("- {what}")], actions: vec![Action::Detach(Box::new(job))], record: Vec::new() }
}
