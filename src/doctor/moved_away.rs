use std::collections::BTreeMap;

use super::Finding;
use crate::events::Severity;
use crate::facts::{Facts, Node};
use crate::inventory::{Host, Inventory};

/// Hosts that were not reached where the inventory has them, while their kubelets are heard of from elsewhere.
///
/// Empty where no API server answers.
#[must_use]
pub fn moved_away(inventory: &Inventory, fleet: &BTreeMap<String, Facts>) -> Vec<Finding> {
    let cluster = fleet.get(&inventory.control_plane().name).and_then(|facts| facts.cluster.as_ref());
    let nodes = cluster.map(|cluster| cluster.nodes.as_slice()).unwrap_or_default();
    let away = inventory.hosts.iter().filter(|host| !fleet.contains_key(&host.name));
    away.filter_map(|host| finding(host, nodes.iter().find(|node| node.name == host.name)?)).collect()
}

fn finding(host: &Host, node: &Node) -> Option<Finding> {
    let (said, found) = (host.ip()?, node.address.as_ref()?);
    let elsewhere = node.ready && *found != said.to_string() && host.node_ip.is_none();
    let reason = format!("it was not reached at {said}, and its node is Ready at {found}");
    let hint = format!("if its address has changed: address = \"{found}\" in the inventory, then `kfleet up` again");
    elsewhere.then(|| Finding::of_host(&host.name, Severity::Warning, "moved-away", reason).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::moved_away;
    use crate::doctor::sample;
    use crate::facts::{ClusterFacts, Node};

    #[test]
    fn a_node_that_is_heard_of_from_elsewhere_gives_its_host_away() {
        let inventory = sample::inventory();
        let found = |address: &str, ready: bool, reached: bool| {
            let mut hosts = sample::joined();
            let node = Node { name: "h3".into(), address: Some(address.into()), ready, ..Node::default() };
            sample::of(&mut hosts, "h1").cluster = Some(ClusterFacts { nodes: vec![node], ..ClusterFacts::default() });
            if !reached {
                hosts.remove("h3");
            }
            moved_away(&inventory, &hosts)
        };
        let told = found("10.88.0.113", true, false);
        assert_eq!(
            sample::lines(&told),
            "warning h3 moved-away: it was not reached at 10.88.0.13, and its node is Ready at 10.88.0.113\n    \
             if its address has changed: address = \"10.88.0.113\" in the inventory, then `kfleet up` again\n"
        );
        assert!(found("10.88.0.13", true, false).is_empty());
        assert!(found("10.88.0.113", false, false).is_empty(), "it may be down, and its node's address old");
        assert!(found("10.88.0.113", true, true).is_empty());
    }
}
