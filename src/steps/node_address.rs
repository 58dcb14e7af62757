use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::facts::{ClusterFacts, Facts};
use crate::inventory::Host;

use super::reinit::AddressChange;
use super::{Action, Change, RunScript, Step};

/// The cluster knows this host's node at an address that the host has: kubelet and pod network start anew after it was
/// given another one.
pub struct NodeAddress<'a> {
    host: &'a Host,
    cluster: Option<&'a ClusterFacts>,
}

const DEADLINE: Duration = Duration::from_secs(120);
const SCRIPT: &str = include_str!("../../templates/node-address.sh");

impl<'a> NodeAddress<'a> {
    /// Of this host, with what the API server says, where one was asked.
    #[must_use]
    pub fn new(host: &'a Host, cluster: Option<&'a ClusterFacts>) -> Self {
        Self { host, cluster }
    }
}

impl Step for NodeAddress<'_> {
    fn name(&self) -> &'static str {
        "node-address"
    }

    fn plan(&self, facts: &Facts) -> Change {
        let node = facts.node_name();
        let known = self.cluster.map(|cluster| cluster.addresses_of(&node)).unwrap_or_default();
        let to = facts.announced(self.host.node_ip, self.host.ip());
        let Some(to) = to.filter(|to| facts.interface_of(*to).is_some() && !known.is_empty()) else {
            return Change::none("no address of its node is known yet");
        };
        let own: BTreeSet<IpAddr> = facts.addresses().collect();
        let from: BTreeSet<IpAddr> =
            known.difference(&own).copied().filter(|from| from.is_ipv4() == to.is_ipv4()).collect();
        if from.is_empty() {
            return Change::none(format!("node {node} is known at {}", list(&known)));
        }
        if node.parse().is_ok_and(|address| from.contains(&address)) {
            return Change::Refused {
                reason: format!("its node is called {node}, by the address that it had"),
                hint: "a node keeps its name: `kfleet remove` it, then `kfleet up` joins it by another".to_owned(),
            };
        }
        let diff = vec![
            format!("~ node {node}: {} becomes {to}", list(&from)),
            "~ kubelet and pod network are restarted on this host; its pods go on".to_owned(),
        ];
        let run = RunScript {
            command: format!("kubelet and pod network start at {to}"),
            script: format!("{}{SCRIPT}", AddressChange { from, to }.prelude()),
            deadline: DEADLINE,
        };
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}

fn list(addresses: &BTreeSet<IpAddr>) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
