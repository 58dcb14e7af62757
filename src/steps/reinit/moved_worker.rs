use std::collections::BTreeSet;
use std::time::Duration;

use crate::base::quote;
use crate::facts::{Facts, File, Wanted};

use super::super::{Action, Change, RunScript, Step};
use super::AddressChange;
use super::moved_control_plane::first_service;

/// This worker's kubelet and kube-proxy ask the API server at its new address, and its pods reach it.
pub struct MovedWorker<'a> {
    change: &'a AddressChange,
    port: u16,
    service_subnet: String,
}

/// There from the first change until all of it is proven.
const PENDING: &str = "/var/lib/kfleet/reinit/pending";
/// The kubelet may take a while to fetch what its pods are told.
const DEADLINE: Duration = Duration::from_secs(240);
const SCRIPT: &str = include_str!("../../../templates/reinit/worker.sh");

impl<'a> MovedWorker<'a> {
    /// By this change, of an API server at this port with a Service in this network.
    #[must_use]
    pub fn new(change: &'a AddressChange, port: u16, service_subnet: String) -> Self {
        Self { change, port, service_subnet }
    }
}

impl Step for MovedWorker<'_> {
    fn name(&self) -> &'static str {
        "worker-endpoint"
    }

    fn probe(&self) -> Wanted {
        Wanted { files: [PENDING.to_owned()].into(), traces: true, ..Wanted::default() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        let Some(kubelet) = facts.kubeadm.kubeconfigs.get("kubelet") else {
            return Change::none("it has not joined; `kfleet up` joins it");
        };
        // A kubeconfig with a name is as good as what /etc/hosts said when its program started.
        let is_named = kubelet.address().is_none();
        let counts = |place: &str| place.starts_with('/') && (is_named || !place.ends_with("/etc-hosts"));
        let found = facts.traces.iter().flat_map(|traces| &traces.found);
        let stale = found.filter(|trace| self.change.from.contains(&trace.address) && counts(&trace.place));
        let stale: BTreeSet<&str> = stale.map(|trace| trace.place.as_str()).collect();
        let pending = matches!(facts.files.get(PENDING), Some(File::Present { .. }));
        if stale.is_empty() && !pending {
            return Change::none(format!("its kubelet asks {}", kubelet.server));
        }
        let mut diff: Vec<String> = stale.iter().map(|place| format!("~ {place}")).collect();
        let restarted = if is_named { "kube-proxy is" } else { "kubelet and kube-proxy are" };
        diff.push(format!("~ {restarted} restarted; its pods go on"));
        let script = format!(
            "{}port={}\nservice={}\n{SCRIPT}",
            self.change.prelude(),
            self.port,
            quote(&first_service(&self.service_subnet).unwrap_or_default())
        );
        let run =
            RunScript { command: format!("the worker follows to {}", self.change.to), script, deadline: DEADLINE };
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
