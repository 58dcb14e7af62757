use std::net::IpAddr;

use super::fleet::Fleet;
use crate::doctor::Finding;
use crate::doctor::api_endpoint::advertise_address;
use crate::events::Severity::{Error, Warning};
use crate::facts::{Facts, InterfaceKind};
use crate::inventory::{Host, Role};

/// Hosts have the addresses that the inventory gives them, and the API server announces one that all reach.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    let advertise = advertise_address(fleet.inventory);
    let mut findings: Vec<_> = advertise.into_iter().flat_map(|address| family(fleet, address)).collect();
    for (host, facts) in &fleet.hosts {
        let announced = advertise.filter(|_| host.role == Role::ControlPlane);
        let unfit = announced.and_then(|address| advertised(fleet, host, facts, address));
        // The same address is not blamed twice.
        let dialled = host.ip().filter(|address| unfit.is_none() || announced != Some(*address));
        findings.extend(unfit);
        findings.extend(dialled.and_then(|address| translated(host, facts, address)));
        findings.extend(host.node_ip.and_then(|address| node_ip(host, facts, address)));
    }
    findings
}

fn family(fleet: &Fleet<'_>, advertise: IpAddr) -> Option<Finding> {
    let cluster = &fleet.inventory.cluster;
    let other = |cidr: &ipnet::IpNet| cidr.addr().is_ipv4() != advertise.is_ipv4();
    let (what, cidr) =
        [("service", cluster.service_cidr), ("pod", cluster.pod_cidr)].into_iter().find(|(_, c)| other(c))?;
    let reason =
        format!("the API server would announce {advertise}, of another address family than the {what} network {cidr}");
    let hint = format!("give `advertise_address` and `{what}_cidr` in [cluster] of one family");
    Some(Finding::of_fleet(Error, "advertise-address-family", reason).with_hint(hint))
}

fn advertised(fleet: &Fleet<'_>, host: &Host, facts: &Facts, address: IpAddr) -> Option<Finding> {
    let interface = facts.interface_of(address);
    let (check, reason) = match interface.map(|interface| (interface, interface.kind)) {
        None => {
            ("advertise-address-absent", format!("the API server is to announce {address}, which this host has not"))
        }
        Some((_, InterfaceKind::Network)) => return None,
        // Whoever sends pods through a VPN too means it.
        Some((vpn, InterfaceKind::Vpn)) if fleet.inventory.cluster.cni.interface.as_ref() == Some(&vpn.name) => {
            return None;
        }
        Some((vpn, InterfaceKind::Vpn)) => {
            let vpn = &vpn.name;
            let reason =
                format!("the API server is to announce {address} of {vpn}, a VPN: the cluster ends when the VPN does");
            ("advertise-address-vpn", reason)
        }
        Some((local, _)) => {
            let local = &local.name;
            let reason = format!("the API server is to announce {address} of {local}, where no other host reaches it");
            ("advertise-address-local", reason)
        }
    };
    let candidates: Vec<String> = facts
        .interfaces
        .iter()
        .filter(|interface| interface.kind == InterfaceKind::Network)
        .flat_map(|interface| interface.addresses.iter().map(move |net| (net.addr(), &interface.name)))
        .filter(|(candidate, _)| candidate.is_ipv4() == address.is_ipv4() && !is_link_local(*candidate))
        .map(|(candidate, name)| format!("\"{candidate}\" ({name})"))
        .collect();
    let mut hint = match candidates.as_slice() {
        [] => "give `advertise_address` in [cluster] an address that all hosts reach".to_owned(),
        candidates => format!("advertise_address = {} in [cluster]", candidates.join(" or ")),
    };
    if let ("advertise-address-vpn", Some(vpn)) = (check, interface) {
        hint = format!(
            "{hint}; or interface = \"{}\" in [cluster.cni] if all of the cluster is to run over the VPN",
            vpn.name
        );
    }
    Some(Finding::of_host(&host.name, Error, check, reason).with_hint(hint))
}

fn translated(host: &Host, facts: &Facts, address: IpAddr) -> Option<Finding> {
    facts.interface_of(address).is_none().then(|| {
        let reason = format!("{address} is on none of its interfaces: something between translates addresses");
        Finding::of_host(&host.name, Warning, "address-absent", reason)
            .with_hint("nodes reach each other by their own addresses, and /etc/hosts will name this one; give `node_ip` where they differ")
    })
}

fn node_ip(host: &Host, facts: &Facts, address: IpAddr) -> Option<Finding> {
    facts.interface_of(address).is_none().then(|| {
        let reason = format!("its node_ip {address} is on none of its interfaces: the kubelet does not register it");
        Finding::of_host(&host.name, Error, "node-ip-absent", reason)
    })
}

const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};
    use crate::facts::InterfaceKind::{LocalBridge, Vpn};

    const CASES: [Case; 10] = [
        ("advertise address given, and there", |inventory, _| {
            inventory.cluster.advertise_address = Some([10, 88, 0, 11].into());
        }),
        ("advertise address of nobody's", |inventory, _| {
            inventory.cluster.advertise_address = Some([192, 168, 101, 81].into());
        }),
        ("advertise address of another host", |inventory, _| {
            inventory.cluster.advertise_address = Some([10, 88, 0, 12].into());
        }),
        ("the notes' tun0", |inventory, hosts| {
            sample::add_interface(hosts, "h1", "tun0", Vpn, &["192.168.101.81/32"]);
            inventory.cluster.advertise_address = Some([192, 168, 101, 81].into());
        }),
        ("a cluster over a VPN, and meant so", |inventory, hosts| {
            for (host, address) in [("h1", "10.9.0.1/24"), ("h2", "10.9.0.2/24"), ("h3", "10.9.0.3/24")] {
                sample::add_interface(hosts, host, "wg0", Vpn, &[address]);
            }
            inventory.cluster.advertise_address = Some([10, 9, 0, 1].into());
            inventory.cluster.cni.interface = Some("wg0".into());
        }),
        ("advertise address of a local bridge", |inventory, hosts| {
            sample::add_interface(hosts, "h1", "docker0", LocalBridge, &["172.17.0.1/16"]);
            inventory.cluster.advertise_address = Some([172, 17, 0, 1].into());
        }),
        ("a worker behind NAT, and the control plane", |inventory, _| {
            inventory.hosts[0].address = "203.0.113.1".into();
            inventory.hosts[1].address = "203.0.113.2".into();
        }),
        ("names are not resolved here", |inventory, _| {
            inventory.hosts.iter_mut().for_each(|host| host.address = format!("{}.example.com", host.name));
        }),
        ("node_ip", |inventory, _| {
            inventory.hosts[1].node_ip = Some([10, 88, 0, 12].into());
            inventory.hosts[2].node_ip = Some([10, 88, 0, 99].into());
        }),
        ("two address families", |inventory, _| inventory.cluster.service_cidr = "fd00:96::/112".parse().unwrap()),
    ];

    #[test]
    fn hosts_have_the_addresses_they_are_given() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
