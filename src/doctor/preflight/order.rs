use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::fleet::Fleet;
use super::{
    addresses, cgroup_driver, clocks, crictl, firewall, identity, membership, networks, pod_network, runtime, swap,
    versions, ways_out,
};
use crate::doctor::Finding;
use crate::facts::Facts;
use crate::inventory::Inventory;

/// All problems of all hosts that answered, the fleet's own first, then in inventory order, errors before warnings.
///
/// `facts` has the hosts by their names in the inventory; one that could not be reached is not in it, and what would
/// need its facts is not said. What a living cluster has otherwise than the inventory is
/// [`differences`](crate::doctor::differences)'.
#[must_use]
pub fn preflight(inventory: &Inventory, facts: &BTreeMap<String, Facts>) -> Vec<Finding> {
    let fleet = Fleet::new(inventory, facts);
    let mut findings = [
        identity::check,
        versions::check,
        clocks::check,
        swap::check,
        networks::check,
        addresses::check,
        ways_out::check,
        runtime::check,
        cgroup_driver::check,
        crictl::check,
        membership::check,
        firewall::check,
        pod_network::check,
    ]
    .iter()
    .flat_map(|check| check(&fleet))
    .collect::<Vec<_>>();
    let place = |name: &String| inventory.hosts.iter().position(|host| host.name == *name);
    findings.sort_by_key(|finding| (finding.host.as_ref().map(place), Reverse(finding.severity)));
    findings
}

#[cfg(test)]
mod tests {
    use super::preflight;
    use crate::doctor::sample;

    #[test]
    fn a_healthy_fleet_gives_nothing_to_say() {
        let (inventory, facts) = (sample::inventory(), sample::bare());
        assert_eq!(preflight(&inventory, &facts), []);
        assert_eq!(preflight(&inventory, &sample::joined()), [], "and none when it is a cluster");
    }

    #[test]
    fn hosts_that_did_not_answer_are_nobodys_problem() {
        let mut facts = sample::joined();
        facts.remove("h1");
        assert_eq!(preflight(&sample::inventory(), &facts), []);
        facts.clear();
        assert_eq!(preflight(&sample::inventory(), &facts), []);
    }

    #[test]
    fn all_problems_of_all_hosts_come_at_once_the_worst_first() {
        let mut facts = sample::bare();
        for host in facts.values_mut() {
            host.swap = vec!["/swapfile".into()];
            host.hostname = format!("{}.example.com", host.hostname);
            host.machine_id = Some("00000000000000000000000000000001".into());
        }
        let found: Vec<_> = preflight(&sample::inventory(), &facts)
            .iter()
            .map(|finding| format!("{} {}", finding.host.as_deref().unwrap_or("fleet"), finding.check))
            .collect();
        let expected = [
            "fleet machine-id-twice",
            "h1 swap",
            "h1 hostname-differs",
            "h2 swap",
            "h2 hostname-differs",
            "h3 swap",
            "h3 hostname-differs",
        ];
        assert_eq!(found, expected);
    }
}
