use std::collections::BTreeMap;

use super::Finding;
use crate::events::Severity;
use crate::facts::{Facts, Node};
use crate::inventory::{Host, Inventory};

/// Nodes that are in the cluster and no host of the inventory: taken out of it, never put into it, or renamed.
///
/// A host that was not reached counts by its name and address. Empty where no API server answers.
#[must_use]
pub fn strangers(inventory: &Inventory, fleet: &BTreeMap<String, Facts>) -> Vec<Finding> {
    let cluster = fleet.get(&inventory.control_plane().name).and_then(|facts| facts.cluster.as_ref());
    let nodes = cluster.map(|cluster| cluster.nodes.as_slice()).unwrap_or_default();
    let is_host = |node: &Node, host: &Host| match fleet.get(&host.name) {
        Some(facts) => facts.node_name() == node.name,
        None => {
            let address = host.node_ip.or(host.ip()).map(|address| address.to_string());
            host.name == node.name || (address.is_some() && address == node.address)
        }
    };
    let strange = nodes.iter().filter(|node| !inventory.hosts.iter().any(|host| is_host(node, host)));
    let finding = |node: &Node| {
        let at = node.address.as_ref().map(|address| format!(" ({address})")).unwrap_or_default();
        let state = if node.ready { "" } else { ", not Ready" };
        let reason = format!("node {}{at}{state} is in the cluster and not in the inventory", node.name);
        let hint = format!(
            "put it into the inventory; where it is to go, `kfleet remove {0}` then takes it out of the cluster, or \
             `kfleet remove --dead {0}` where the machine is gone",
            node.name
        );
        Finding::of_fleet(Severity::Warning, "not-in-inventory", reason).with_hint(hint)
    };
    strange.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::strangers;
    use crate::doctor::sample;
    use crate::facts::{ClusterFacts, Facts, Node};

    fn node(name: &str, address: &str, ready: bool) -> Node {
        Node { name: name.to_owned(), address: Some(address.to_owned()), ready, ..Node::default() }
    }

    #[test]
    fn a_node_that_no_host_is_gets_a_word_and_a_host_that_is_away_does_not() {
        let inventory = sample::inventory();
        let own = inventory.hosts.iter().map(|host| {
            let address = host.ip().map(|ip| ip.to_string()).unwrap_or_default();
            (host.name.clone(), address)
        });
        let mut nodes: Vec<Node> = own.map(|(name, address)| node(&name, &address, true)).collect();
        // One that has another name than its host, which is away: known by its address.
        if let Some(last) = nodes.last_mut() {
            last.name = "other".to_owned();
        }
        nodes.push(node("h9", "10.88.0.19", false));
        let control_plane = inventory.control_plane().name.clone();
        let facts = Facts {
            hostname: control_plane.clone(),
            cluster: Some(ClusterFacts { nodes, ..ClusterFacts::default() }),
            ..Facts::default()
        };
        let found = strangers(&inventory, &[(control_plane, facts)].into());
        let found: Vec<_> = found.iter().map(|finding| finding.reason.as_str()).collect();
        assert_eq!(found, ["node h9 (10.88.0.19), not Ready is in the cluster and not in the inventory"]);
    }

    #[test]
    fn without_an_answer_nobody_is_a_stranger() {
        assert!(strangers(&sample::inventory(), &[].into()).is_empty());
    }
}
