use std::time::Duration;

use crate::facts::Facts;

use super::super::{Action, Change, RunScript, Step};

/// The cluster's DNS answers, so pods have a network; waited for on the control plane.
pub struct DnsReady;

impl Step for DnsReady {
    fn name(&self) -> &'static str {
        "dns-ready"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        let command = "kubectl rollout status -n kube-system deployment/coredns".to_owned();
        let script = format!("{command} --timeout=240s --kubeconfig /etc/kubernetes/admin.conf");
        let run = RunScript { command, script, deadline: Duration::from_secs(270) };
        Change::Some {
            diff: vec!["+ CoreDNS is ready".to_owned()],
            actions: vec![Action::Run(run)],
            record: Vec::new(),
        }
    }
}
