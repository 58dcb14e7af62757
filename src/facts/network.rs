use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::frames::Frames;
use super::{Interface, InterfaceKind};

/// Interfaces of the pod network's, whatever kind of device they are: flannel, calico, cilium, weave, kube-proxy, …
const PODS: [&str; 13] = [
    "cni",
    "flannel",
    "cali",
    "veth",
    "tunl0",
    "vxlan.calico",
    "vxlan-v6.calico",
    "wireguard.cali",
    "wg-v6.cali",
    "cilium_",
    "weave",
    "kube-",
    "nodelocaldns",
];

const LOCAL_BRIDGES: [&str; 5] = ["docker", "virbr", "lxcbr", "lxdbr", "podman"];

const VPNS: [&str; 7] = ["tun", "tap", "wg", "ppp", "utun", "tailscale", "zt"];

/// The interfaces, in the kernel's order.
pub(super) fn interfaces(frames: &Frames<'_>) -> Vec<Interface> {
    let mut addresses = addresses(&frames.anything_said("addresses"));
    let routes = frames.anything_said("default-routes");
    let ways_out = ways_out(&routes);
    let links = frames.anything_said("links");
    links
        .lines()
        .filter_map(|line| {
            let name = name_of(line)?;
            Some(Interface {
                name: name.to_owned(),
                kind: kind_of(name, line),
                addresses: addresses.remove(name).unwrap_or_default(),
                default_route: ways_out.contains(name),
            })
        })
        .collect()
}

/// Of `4: host0@if5: <BROADCAST,…`: the part behind @ is the other end.
fn name_of(line: &str) -> Option<&str> {
    let (index, rest) = line.split_once(": ")?;
    index.trim().parse::<u32>().ok()?;
    let (name, _) = rest.split_once(": ")?;
    Some(name.split_once('@').map_or(name, |(name, _)| name))
}

/// Names come first: calico's IPIP tunnel and flannel's wireguard are the pods', and in a machine that is a container
/// itself the way out is a veth.
fn kind_of(name: &str, line: &str) -> InterfaceKind {
    let one_of = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let says = |word: &str| line.split_whitespace().any(|said| said == word);
    if name == "lo" || says("link/loopback") {
        InterfaceKind::Loopback
    } else if one_of(&LOCAL_BRIDGES) || is_docker_network(name) {
        InterfaceKind::LocalBridge
    } else if one_of(&PODS) || (name.starts_with("lxc") && says("veth")) {
        InterfaceKind::Pods
    } else if one_of(&VPNS) || says("tun") || says("wireguard") || says("link/ppp") {
        InterfaceKind::Vpn
    } else {
        InterfaceKind::Network
    }
}

/// Docker names the bridges of its further networks `br-` and twelve hexadecimal digits.
fn is_docker_network(name: &str) -> bool {
    name.strip_prefix("br-").is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Of `2: eth0    inet 10.0.0.5/24 brd …` and `5: tun0    inet 10.8.0.6 peer 10.8.0.5/32 scope …`.
fn addresses(text: &str) -> BTreeMap<String, Vec<IpNet>> {
    let mut addresses = BTreeMap::<String, Vec<IpNet>>::new();
    for line in text.lines() {
        let mut words = line.split_whitespace().skip(1);
        let (Some(name), Some("inet" | "inet6"), Some(address)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let net = address.parse().or_else(|_| address.parse::<IpAddr>().map(IpNet::from));
        if let Ok(net) = net {
            let name = name.split_once('@').map_or(name, |(name, _)| name);
            addresses.entry(name.to_owned()).or_default().push(net);
        }
    }
    addresses
}

/// busybox's ip lists other routes too; one with several ways has them all on its line.
fn ways_out(text: &str) -> BTreeSet<&str> {
    let routes = text.lines().filter(|line| line.starts_with("default "));
    routes
        .flat_map(|route| route.split_whitespace().zip(route.split_whitespace().skip(1)))
        .filter(|(word, _)| *word == "dev")
        .map(|(_, device)| device)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{interfaces, kind_of};
    use crate::facts::InterfaceKind::{self, LocalBridge, Loopback, Network, Pods, Vpn};
    use crate::facts::frames::Frames;

    #[test]
    fn addresses_and_ways_out_find_their_interface() {
        let output = "
n said links 0
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
2: host0@if5: <BROADCAST,MULTICAST,UP> mtu 1500\\    link/ether 26:55:6d:5c:d3:95 brd ff:ff:ff:ff:ff:ff\\    veth addrgenmode eui64
3: tun0: <POINTOPOINT,MULTICAST,NOARP,UP> mtu 1500\\    link/none  promiscuity 0 \\    tun type tun pi off vnet_hdr off
n said addresses 0
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: host0    inet 10.88.0.11/24 scope global host0\\       valid_lft forever preferred_lft forever
2: host0    inet6 fe80::2455:6dff:fe5c:d395/64 scope link \\       valid_lft forever preferred_lft forever
3: tun0    inet 192.168.101.81 peer 192.168.101.1/32 scope global tun0\\       valid_lft forever preferred_lft forever
n said default-routes 0
default proto static metric 100 \\\tnexthop via 10.88.0.1 dev host0 weight 1 \\\tnexthop dev tun0 weight 1
10.0.0.0/8 dev lo scope link
n probe - end
";
        let frames = Frames::split(output.as_bytes(), "n").unwrap();
        let seen: Vec<_> = interfaces(&frames)
            .into_iter()
            .map(|i| {
                let addresses: Vec<_> = i.addresses.iter().map(ToString::to_string).collect();
                format!("{} {:?} {} {}", i.name, i.kind, addresses.join(","), i.default_route)
            })
            .collect();
        assert_eq!(
            seen,
            [
                "lo Loopback 127.0.0.1/8 false",
                "host0 Network 10.88.0.11/24,fe80::2455:6dff:fe5c:d395/64 true",
                "tun0 Vpn 192.168.101.81/32 true",
            ]
        );
    }

    #[test]
    fn a_kind_is_told_by_name_and_device() {
        let cases: [(&str, &str, InterfaceKind); 17] = [
            ("lo", "link/loopback 00:00", Loopback),
            ("eth0", "link/ether 52:54", Network),
            ("bond0.100", "link/ether 52:54 vlan protocol 802.1Q id 100", Network),
            ("br0", "link/ether 52:54 bridge forward_delay 1500", Network),
            ("host0", "link/ether 52:54 veth", Network),
            ("wwan0", "link/none", Network),
            ("office", "link/none wireguard", Vpn),
            ("tun0", "", Vpn),
            ("ppp0", "link/ppp", Vpn),
            ("flannel.1", "link/ether 52:54 vxlan id 1", Pods),
            ("flannel-wg", "link/none wireguard", Pods),
            ("cni0", "link/ether 52:54 bridge", Pods),
            ("vethfa21ed64", "link/ether 12:49 veth", Pods),
            ("tunl0", "link/ipip 0.0.0.0 ipip", Pods),
            ("docker0", "link/ether 02:42 bridge", LocalBridge),
            ("br-0a1b2c3d4e5f", "link/ether 02:42 bridge", LocalBridge),
            ("virbr0", "link/ether 52:54 bridge", LocalBridge),
        ];
        for (name, details, kind) in cases {
            assert_eq!(kind_of(name, details), kind, "{name} {details}");
        }
    }
}
