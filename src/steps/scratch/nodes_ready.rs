use std::time::Duration;

use crate::base::quote;
use crate::facts::Facts;

use super::super::{Action, Change, RunScript, Step};

/// Nodes are Ready; waited for on the control plane, before the next ones go away.
pub struct NodesReady {
    /// Their names.
    pub nodes: Vec<String>,
}

/// A pod network's images may have to be fetched.
const PATIENCE: Duration = Duration::from_secs(240);

impl Step for NodesReady {
    fn name(&self) -> &'static str {
        "nodes-ready"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        let nodes: Vec<String> = self.nodes.iter().map(|name| quote(&format!("node/{name}"))).collect();
        let (nodes, seconds) = (nodes.join(" "), PATIENCE.as_secs());
        let command = format!("kubectl wait --for=condition=Ready {nodes}");
        let script = format!("{command} --timeout={seconds}s --kubeconfig /etc/kubernetes/admin.conf");
        let run = RunScript { command, script, deadline: PATIENCE + Duration::from_secs(30) };
        let diff = self.nodes.iter().map(|name| format!("+ {name} is Ready")).collect();
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
