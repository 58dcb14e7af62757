use std::time::Duration;

use crate::base::quote;
use crate::facts::{ClusterFacts, Facts};

use super::{Action, Change, RunScript, Step};

/// None of several Nodes that are to be drained one after the other takes what another one gives away; done on the control
/// plane. A drain cordons its own.
#[derive(Debug, Clone)]
pub struct NodesCordoned<'a> {
    /// The Nodes' names.
    pub nodes: Vec<String>,
    /// What the cluster says.
    pub cluster: Option<&'a ClusterFacts>,
}

impl Step for NodesCordoned<'_> {
    fn name(&self) -> &'static str {
        "cordon"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        let there = |node: &&String| self.cluster.is_some_and(|it| it.nodes.iter().any(|there| there.name == **node));
        let nodes: Vec<&str> = self.nodes.iter().filter(there).map(String::as_str).collect();
        if nodes.len() < 2 {
            return Change::none("no two nodes are drained");
        }
        let quoted: Vec<String> = nodes.iter().map(|node| quote(node)).collect();
        let command = format!("kubectl cordon {}", quoted.join(" "));
        let script = format!("export KUBECONFIG=/etc/kubernetes/admin.conf\n{command}\n");
        let run = RunScript { command, script, deadline: Duration::from_secs(60) };
        let diff = vec![format!("~ {} take no new pods", nodes.join(" and "))];
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
