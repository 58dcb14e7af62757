use std::collections::BTreeMap;

use ipnet::IpNet;

use super::fleet::Fleet;
use crate::doctor::Finding;
use crate::doctor::enumeration::enumeration;
use crate::events::Severity::Error;
use crate::facts::InterfaceKind;

/// Pods and Services get addresses that no host has its own use for.
///
/// One host with such a network has a problem; several have one with the cluster's.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    let cluster = &fleet.inventory.cluster;
    [("pod", cluster.pod_cidr), ("service", cluster.service_cidr)]
        .into_iter()
        .flat_map(|(what, cidr)| {
            overlapping(fleet, &cidr).into_iter().map(move |(network, places)| overlap(what, &cidr, &network, &places))
        })
        .collect()
}

/// Where a network is: a host's name and the interface.
type Place<'a> = (&'a str, &'a str);

fn overlapping<'a>(fleet: &Fleet<'a>, cidr: &IpNet) -> BTreeMap<IpNet, Vec<Place<'a>>> {
    let mut networks = BTreeMap::<IpNet, Vec<Place<'a>>>::new();
    for (host, facts) in &fleet.hosts {
        // A former pod network's interfaces have pod addresses, and go with it.
        let own =
            facts.interfaces.iter().filter(|at| !matches!(at.kind, InterfaceKind::Pods | InterfaceKind::Loopback));
        for interface in own {
            for network in interface.addresses.iter().map(IpNet::trunc) {
                if cidr.contains(&network) || network.contains(cidr) {
                    let places = networks.entry(network).or_default();
                    if !places.contains(&(&host.name, &interface.name)) {
                        places.push((&host.name, &interface.name));
                    }
                }
            }
        }
    }
    networks
}

fn overlap(what: &str, cidr: &IpNet, network: &IpNet, places: &[Place<'_>]) -> Finding {
    let check = if what == "pod" { "pod-network-overlap" } else { "service-network-overlap" };
    let overlaps = format!("the {what} network {cidr} overlaps {network}");
    let hint = format!("set `{what}_cidr` in [cluster] to a network that no host is in");
    let finding = match places {
        [(host, interface)] => Finding::of_host(host, Error, check, format!("{overlaps} of its {interface}")),
        _ => {
            let places: Vec<_> = places.iter().map(|(host, interface)| format!("{host} ({interface})")).collect();
            Finding::of_fleet(Error, check, format!("{overlaps}, which is on {}", enumeration(&places)))
        }
    };
    finding.with_hint(hint)
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};
    use crate::facts::InterfaceKind::{LocalBridge, Loopback, Network, Pods, Vpn};

    const CASES: [Case; 7] = [
        ("pods where all hosts are", |inventory, _| inventory.cluster.pod_cidr = "10.88.0.0/16".parse().unwrap()),
        ("services within a worker's second network", |_, hosts| {
            sample::add_interface(hosts, "h2", "eth1", Network, &["10.0.0.5/8"]);
        }),
        ("a VPN's network within the pods'", |_, hosts| {
            sample::add_interface(hosts, "h1", "tun0", Vpn, &["10.244.7.3/32"]);
        }),
        ("Docker's bridge within the services'", |_, hosts| {
            sample::add_interface(hosts, "h3", "docker0", LocalBridge, &["10.100.0.1/24"]);
        }),
        ("a former pod network", |_, hosts| {
            sample::add_interface(hosts, "h1", "cni0", Pods, &["10.244.0.1/24"]);
            sample::add_interface(hosts, "h1", "flannel.1", Pods, &["10.244.0.0/32"]);
        }),
        ("loopback", |_, hosts| sample::add_interface(hosts, "h1", "lo0", Loopback, &["10.96.0.10/32"])),
        ("IPv6 beside", |_, hosts| sample::add_interface(hosts, "h1", "eth1", Network, &["fe80::1/64", "::1/128"])),
    ];

    #[test]
    fn pods_and_services_have_networks_of_their_own() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
