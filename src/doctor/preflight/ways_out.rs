use super::fleet::Fleet;
use crate::doctor::Finding;
use crate::doctor::enumeration::enumeration;
use crate::events::Severity::{Error, Warning};
use crate::facts::{Facts, Interface, InterfaceKind};
use crate::inventory::{CniPlugin, Host};

/// Flannel sends pods out by the interface of the default route, unless it is told which one.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    let cni = &fleet.inventory.cluster.cni;
    if cni.plugin != CniPlugin::Flannel {
        return Vec::new();
    }
    let finding = |(host, facts): &(&Host, &Facts)| match &cni.interface {
        Some(name) => absent(host, facts, name),
        None => unclear(host, facts),
    };
    fleet.hosts.iter().filter_map(finding).collect()
}

fn absent(host: &Host, facts: &Facts, name: &str) -> Option<Finding> {
    // `--iface` takes a name or an address.
    let there = |interface: &Interface| {
        interface.name == name || interface.addresses.iter().any(|net| net.addr().to_string() == name)
    };
    if facts.interfaces.iter().any(there) {
        return None;
    }
    let outward = |kind| matches!(kind, InterfaceKind::Network | InterfaceKind::Vpn);
    let others: Vec<_> =
        facts.interfaces.iter().filter(|interface| outward(interface.kind)).map(|interface| &interface.name).collect();
    let has = if others.is_empty() { "nothing".to_owned() } else { enumeration(&others) };
    let reason = format!("flannel is to use {name}, and this host has {has}: flannel would not start");
    let hint =
        "name in [cluster.cni] an interface that every host has, or leave it out where the default route will do";
    Some(Finding::of_host(&host.name, Error, "cni-interface-absent", reason).with_hint(hint))
}

fn unclear(host: &Host, facts: &Facts) -> Option<Finding> {
    let ways: Vec<&Interface> = facts.interfaces.iter().filter(|interface| interface.default_route).collect();
    let vpn = |interface: &&&Interface| interface.kind == InterfaceKind::Vpn;
    let reason = match ways.as_slice() {
        [] => "it has no default route: flannel finds no interface and exits".to_owned(),
        [one] if vpn(&one) => format!("its default route leaves by {}, a VPN: pods would too", one.name),
        [_] => return None,
        several => {
            let label = |way: &&Interface| match way.kind {
                InterfaceKind::Vpn => format!("{} (a VPN)", way.name),
                _ => way.name.clone(),
            };
            let names: Vec<_> = several.iter().map(label).collect();
            format!("default routes leave by {}: which one flannel takes is the kernel's choice", enumeration(&names))
        }
    };
    let hint = "say which: `interface` in [cluster.cni], and `advertise_address` in [cluster] for the control plane";
    Some(Finding::of_host(&host.name, Warning, "default-route", reason).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};
    use crate::facts::InterfaceKind::{Network, Vpn};
    use crate::inventory::CniPlugin::Weave;

    const CASES: [Case; 7] = [
        ("a VPN without the default route", |_, hosts| {
            sample::add_interface(hosts, "h1", "tun0", Vpn, &["10.8.0.6/32"]);
        }),
        ("a VPN with it", |_, hosts| {
            sample::add_way_out(hosts, "h1", "tun0", Vpn, &["10.8.0.6/32"]);
            sample::of(hosts, "h1").interfaces[1].default_route = false;
        }),
        ("two, one of them a VPN", |_, hosts| {
            sample::add_way_out(hosts, "h1", "tun0", Vpn, &["10.8.0.6/32"]);
            sample::add_way_out(hosts, "h2", "wlan0", Network, &["192.168.1.5/24"]);
        }),
        ("two, and it is said which", |inventory, hosts| {
            inventory.cluster.cni.interface = Some("eth0".into());
            sample::add_way_out(hosts, "h2", "wlan0", Network, &["192.168.1.5/24"]);
        }),
        ("none", |_, hosts| sample::of(hosts, "h2").interfaces[1].default_route = false),
        ("the named interface is not everywhere", |inventory, hosts| {
            inventory.cluster.cni.interface = Some("eth1".into());
            sample::add_interface(hosts, "h1", "eth1", Network, &["192.168.1.5/24"]);
            sample::of(hosts, "h3").interfaces.clear();
        }),
        ("weave does not mind", |inventory, hosts| {
            inventory.cluster.cni.plugin = Weave;
            sample::of(hosts, "h2").interfaces[1].default_route = false;
        }),
    ];

    #[test]
    fn there_is_one_way_out() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
