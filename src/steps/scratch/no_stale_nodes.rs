use std::time::Duration;

use crate::base::quote;
use crate::facts::Facts;

use super::super::{Action, Change, RunScript, Step};

/// The new cluster has no Node by the name of one that is about to join. Under the same CA a kubelet of the old cluster makes
/// itself one when it is started again, and kubeadm joins nobody in the place of a Node that is Ready.
pub struct NoStaleNodes {
    /// Their names.
    pub nodes: Vec<String>,
}

impl Step for NoStaleNodes {
    fn name(&self) -> &'static str {
        "stale-nodes"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        let nodes: Vec<String> = self.nodes.iter().map(|name| quote(name)).collect();
        let command = format!("kubectl delete node {} --ignore-not-found", nodes.join(" "));
        let script = format!("{command} --timeout=60s --kubeconfig /etc/kubernetes/admin.conf");
        let run = RunScript { command, script, deadline: Duration::from_secs(90) };
        let diff =
            self.nodes.iter().map(|name| format!("- {name}, if its old kubelet has made itself a node")).collect();
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
