use std::time::Duration;

use semver::Version;

use crate::base::quote;
use crate::facts::{ClusterFacts, Facts};

use super::{Action, Change, RunScript, Step};

/// The cluster has no such Node any more; done on the control plane.
#[derive(Debug, Clone)]
pub struct NodeGone<'a> {
    /// The Node's name.
    pub node: String,
    /// What the cluster says.
    pub cluster: Option<&'a ClusterFacts>,
    /// How its pods leave it.
    pub leave: Leave,
}

/// How pods leave a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// They are evicted, as disruption budgets let them.
    Drained(Drain),
    /// They are forgotten: the host is gone, and nobody will ever hear the end of them.
    Forgotten,
}

/// What `kubectl drain` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// The longest that it may take.
    pub timeout: Duration,
    /// Whether pods go whose emptyDir goes with them.
    pub delete_emptydir_data: bool,
    /// Whether pods go that no controller makes anew.
    pub force: bool,
}

/// What kubectl may take beside the drain.
const GRACE: Duration = Duration::from_secs(90);

impl NodeGone<'_> {
    /// The script that drains and deletes. A node that could not be drained stays cordoned, as by kubectl: what has left it
    /// does not come back, and a rerun goes on from there.
    fn drain(&self, drain: Drain, facts: &Facts) -> RunScript {
        let node = quote(&self.node);
        let command = format!(
            "kubectl drain {node} --ignore-daemonsets --timeout={}s{}{}",
            drain.timeout.as_secs(),
            if drain.delete_emptydir_data { format!(" {}", emptydir_flag(facts)) } else { String::new() },
            if drain.force { " --force" } else { "" }
        );
        let script = format!(
            "{KUBECTL}{command} || {{
    status=$?
    echo {node}' stays cordoned and in the cluster, and its host was not touched; kubectl uncordon lets pods run there again'
    exit $status
}}
kubectl delete node {node} --ignore-not-found --timeout=60s
"
        );
        RunScript { command, script, deadline: drain.timeout + GRACE }
    }

    /// The node goes first: its DaemonSets would make new pods for it. What is bound to it then has to be said to be gone.
    fn forget(&self) -> RunScript {
        let node = quote(&self.node);
        let command = format!("kubectl delete node {node}");
        let script = format!(
            "{KUBECTL}kubectl cordon {node}
{command} --ignore-not-found --timeout=60s
kubectl delete pods --all-namespaces --field-selector {} --force --grace-period=0 --wait=false
",
            quote(&format!("spec.nodeName={}", self.node))
        );
        RunScript { command, script, deadline: GRACE + Duration::from_secs(60) }
    }
}

const KUBECTL: &str = "export KUBECONFIG=/etc/kubernetes/admin.conf\n";

/// It was renamed in 1.20.
fn emptydir_flag(facts: &Facts) -> &'static str {
    match &facts.packages.kubectl {
        Some(version) if *version < Version::new(1, 20, 0) => "--delete-local-data",
        _ => "--delete-emptydir-data",
    }
}

impl Step for NodeGone<'_> {
    fn name(&self) -> &'static str {
        match self.leave {
            Leave::Drained(_) => "drain",
            Leave::Forgotten => "node",
        }
    }

    fn plan(&self, facts: &Facts) -> Change {
        let node = &self.node;
        if !self.cluster.is_some_and(|cluster| cluster.nodes.iter().any(|there| there.name == *node)) {
            return Change::none(format!("the cluster has no node {node}"));
        }
        let (how, run) = match self.leave {
            Leave::Drained(drain) => ("drained first", self.drain(drain, facts)),
            Leave::Forgotten => ("its pods with it, unheard", self.forget()),
        };
        let diff = vec![format!("- node {node}, {how}")];
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
