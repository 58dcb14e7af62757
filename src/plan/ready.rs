use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::facts::{ClusterFacts, Workload};

/// What a cluster must show before it is handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The host that can ask the API server.
    pub asked_on: String,
    /// Names of the Nodes that must be Ready.
    pub nodes: Vec<String>,
    /// The addresses that those of them have that were given another one: the cluster must look for them at no other.
    pub addresses: BTreeMap<String, BTreeSet<IpAddr>>,
    /// The pod network's DaemonSet: it must have a ready pod on each of those nodes.
    pub pod_network: Option<&'static str>,
    /// Whether every host of the inventory is among the nodes; else what hung on the others may still be missing.
    pub whole: bool,
}

impl Expectation {
    /// What is not there yet, a line each; nothing when the cluster is ready.
    #[must_use]
    pub fn missing(&self, cluster: &ClusterFacts) -> Vec<String> {
        if let Some(reason) = &cluster.unreachable {
            return vec![format!("the API server does not answer: {reason}")];
        }
        let mut missing: Vec<String> = self.nodes.iter().filter_map(|name| Self::node(name, cluster)).collect();
        missing.extend(self.addresses.iter().filter_map(|(node, own)| {
            let stale = cluster.addresses_of(node).into_iter().find(|address| !own.contains(address))?;
            Some(format!("the cluster still looks for node {node} at {stale}"))
        }));
        let dns = cluster.workloads.iter().find(|w| w.kind == "Deployment" && w.name == "coredns");
        missing.extend(self.shortfall("CoreDNS", dns, 1));
        if let Some(name) = self.pod_network {
            let daemons = cluster.workloads.iter().find(|w| w.kind == "DaemonSet" && w.name == name);
            missing.extend(self.shortfall(name, daemons, self.nodes.len()));
        }
        missing
    }

    /// The Nodes that are not there or not Ready yet.
    #[must_use]
    pub fn waiting(&self, cluster: &ClusterFacts) -> Vec<String> {
        // An API server that is away tells nothing of any node.
        let asked = self.nodes.iter().filter(|_| cluster.unreachable.is_none());
        asked.filter(|name| Self::node(name, cluster).is_some()).cloned().collect()
    }

    /// Does without a Node, and what hung on it.
    pub fn leave_out(&mut self, node: &str) {
        self.nodes.retain(|name| name != node);
        self.whole = false;
    }

    fn node(name: &str, cluster: &ClusterFacts) -> Option<String> {
        match cluster.nodes.iter().find(|node| node.name == name) {
            None => Some(format!("node {name} has not registered")),
            Some(node) if node.ready => None,
            Some(node) => {
                let reason = node.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                Some(format!("node {name} is not ready{reason}"))
            }
        }
    }

    /// What `workload` lacks; `least` pods are enough when hosts are missing from the run.
    fn shortfall(&self, what: &str, workload: Option<&Workload>, least: usize) -> Option<String> {
        let Some(workload) = workload else { return Some(format!("{what} is not there")) };
        let least = u32::try_from(least).unwrap_or(u32::MAX);
        let wanted = if self.whole { workload.desired.max(least) } else { least };
        (workload.ready < wanted).then(|| format!("{what} has {} of {wanted} pods ready", workload.ready))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Expectation;
    use crate::facts::{ClusterFacts, Node, Workload};

    fn cluster(ready: [bool; 2], flannel: u32, dns: u32) -> ClusterFacts {
        let node = |(name, ready): (&str, bool)| Node { name: name.to_owned(), ready, ..Node::default() };
        let workload = |kind: &str, name: &str, ready| Workload {
            kind: kind.to_owned(),
            name: name.to_owned(),
            desired: 2,
            ready,
            ..Workload::default()
        };
        ClusterFacts {
            nodes: ["m", "w"].into_iter().zip(ready).map(node).collect(),
            workloads: vec![workload("DaemonSet", "flannel", flannel), workload("Deployment", "coredns", dns)],
            ..ClusterFacts::default()
        }
    }

    fn expectation(nodes: &[&str], whole: bool) -> Expectation {
        let nodes = nodes.iter().map(ToString::to_string).collect();
        Expectation { asked_on: "m".to_owned(), nodes, addresses: BTreeMap::new(), pod_network: Some("flannel"), whole }
    }

    #[test]
    fn a_ready_cluster_lacks_nothing() {
        assert!(expectation(&["m", "w"], true).missing(&cluster([true, true], 2, 2)).is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = expectation(&["m", "w", "x"], true).missing(&cluster([true, false], 1, 0));
        assert_eq!(
            missing,
            [
                "node w is not ready",
                "node x has not registered",
                "CoreDNS has 0 of 2 pods ready",
                "flannel has 1 of 3 pods ready"
            ]
        );
    }

    #[test]
    fn a_node_is_looked_for_where_it_is() {
        let mut cluster = cluster([true, true], 2, 2);
        cluster.nodes[1].address = Some("10.0.0.3".to_owned());
        cluster.nodes[1].flannel_address = Some("10.0.0.2".to_owned());
        let mut expected = expectation(&["m", "w"], true);
        assert!(expected.missing(&cluster).is_empty(), "its host did not tell where it is");
        expected.addresses.insert("w".to_owned(), ["10.0.0.3".parse().unwrap()].into());
        assert!(expected.missing(&cluster).is_empty(), "flannel is not its network");
        cluster.workloads[0].name = "kube-flannel-ds".to_owned();
        expected.pod_network = Some("kube-flannel-ds");
        assert_eq!(expected.missing(&cluster), ["the cluster still looks for node w at 10.0.0.2"]);
        cluster.nodes[1].flannel_address = Some("10.0.0.3".to_owned());
        assert!(expected.missing(&cluster).is_empty());
        cluster.nodes[1].address = Some("10.0.0.2".to_owned());
        assert_eq!(expected.missing(&cluster), ["the cluster still looks for node w at 10.0.0.2"]);
    }

    #[test]
    fn a_host_that_is_left_out_is_not_waited_for() {
        assert!(expectation(&["m"], false).missing(&cluster([true, false], 1, 1)).is_empty());
    }

    #[test]
    fn a_node_that_will_not_come_is_left_out_with_what_hung_on_it() {
        let mut expected = expectation(&["m", "w"], true);
        let cluster = cluster([true, false], 1, 1);
        assert_eq!(expected.waiting(&cluster), ["w"]);
        expected.leave_out("w");
        assert!(expected.waiting(&cluster).is_empty() && expected.missing(&cluster).is_empty());
    }

    #[test]
    fn an_api_server_that_is_away_is_the_only_thing_said() {
        let cluster = ClusterFacts { unreachable: Some("connection refused".to_owned()), ..ClusterFacts::default() };
        assert_eq!(expectation(&["m"], true).missing(&cluster), ["the API server does not answer: connection refused"]);
    }
}
