use std::fmt::Write;
use std::time::Duration;

use crate::base::{printable, quote};
use crate::facts::{ClusterFacts, Facts, Taint};

use super::super::{Action, Change, RunScript, Step};
use super::NodeMarks;

/// Nodes have the labels and taints that they had; done on the control plane.
pub struct NodesAsBefore<'a> {
    /// By name, and what each had.
    pub nodes: Vec<(String, NodeMarks)>,
    /// What the cluster says now; `None` where it is yet to be made, or these Nodes are yet to join.
    pub cluster: Option<&'a ClusterFacts>,
    /// The control plane's name: pods may have been let onto it.
    pub control_plane: String,
}

/// An API server that was made a second ago may still refuse.
const AGAIN: &str = "export KUBECONFIG=/etc/kubernetes/admin.conf
again() {
    for wait in 1 2 4 8; do
        if kubectl \"$@\" --request-timeout=10s; then return 0; fi
        sleep $wait
    done
    kubectl \"$@\" --request-timeout=10s
}
";

impl NodesAsBefore<'_> {
    /// What one of them lacks, and the taints that it had not.
    fn lacks(&self, name: &str, before: &NodeMarks) -> (NodeMarks, Vec<&'static str>) {
        let node = self.cluster.and_then(|cluster| cluster.nodes.iter().find(|node| node.name == name));
        let there = node.map(NodeMarks::of);
        let untainted = before.untainted().filter(|key| match &there {
            Some(there) => there.taints.iter().any(|taint| taint.key == **key),
            None => name == self.control_plane,
        });
        let untainted = untainted.collect();
        (there.map_or_else(|| before.clone(), |there| before.without(&there)), untainted)
    }
}

impl Step for NodesAsBefore<'_> {
    fn name(&self) -> &'static str {
        "labels"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        let (mut diff, mut script) = (Vec::new(), AGAIN.to_owned());
        for (name, before) in &self.nodes {
            let (lacks, untainted) = self.lacks(name, before);
            let node = quote(name);
            let labels: Vec<String> = lacks.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let taints: Vec<String> = lacks.taints.iter().map(text).collect();
            diff.extend(labels.iter().map(|label| format!("+ node {name}: label {}", printable(label))));
            diff.extend(taints.iter().map(|taint| format!("+ node {name}: taint {}", printable(taint))));
            let words = |words: &[String]| words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
            // Writing to a String cannot fail.
            if !labels.is_empty() {
                let _ = writeln!(script, "again label node {node} --overwrite {}", words(&labels));
            }
            if !taints.is_empty() {
                let _ = writeln!(script, "again taint node {node} --overwrite {}", words(&taints));
            }
            for key in untainted {
                diff.push(format!("- node {name}: taint {key}, which it had not"));
                let _ = writeln!(script, "kubectl taint node {node} {key}- || :");
            }
            if lacks.cordoned {
                diff.push(format!("+ node {name}: cordoned, as it was"));
                let _ = writeln!(script, "again cordon {node}");
            }
        }
        if diff.is_empty() {
            return Change::none("every node has what it had");
        }
        let run = RunScript {
            command: "kubectl label, kubectl taint".to_owned(),
            script,
            deadline: Duration::from_secs(120),
        };
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}

/// As kubectl takes it.
fn text(Taint { key, value, effect }: &Taint) -> String {
    format!("{key}={value}:{effect}")
}
