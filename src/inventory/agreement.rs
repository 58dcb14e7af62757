//! What no section can see alone: whether hosts, networks and names agree with each other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Range;

use super::cluster_section::{ClusterSection, Network};
use super::hosts_section::{EntryPlaces, HostsSection, known_ip};
use super::model::{Host, Role};
use super::problem::{Problem, Problems};
use super::settings_sections::HostsFileSection;

/// Everything that was read, to be held against each other.
///
/// A `[[hosts]]` table may stand for a thousand hosts, so each check tells of a table, or a pair of them, once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Agreement<'a> {
    pub(super) cluster: &'a ClusterSection,
    pub(super) hosts: &'a HostsSection,
    pub(super) hosts_file: &'a HostsFileSection,
    pub(super) problems: &'a Problems,
}

impl<'a> Agreement<'a> {
    pub(super) fn check(self) {
        self.nothing_twice();
        self.one_control_plane();
        self.hosts_file_agrees();
        self.networks_apart();
        self.one_ip_family();
        self.pod_network_holds_all();
    }

    fn hosts(self) -> impl Iterator<Item = (&'a Host, &'a EntryPlaces)> {
        let entries = self.hosts.entry_of.iter().filter_map(|at| self.hosts.entries.get(*at));
        self.hosts.hosts.iter().zip(entries)
    }

    fn nothing_twice(self) {
        self.unique("name", |host| Some(host.name.clone()), |entry| Some(&entry.name));
        // Ports of one address may well be forwarded to different hosts.
        self.unique(
            "address",
            |host| Some(format!("{}:{}", host.address, host.ssh.port.unwrap_or(22))),
            |entry| Some(&entry.address),
        );
        self.unique("node IP", |host| host.node_ip.map(|ip| ip.to_string()), |entry| entry.node_ip.as_ref());
    }

    fn unique(
        self,
        what: &str,
        key: impl Fn(&Host) -> Option<String>,
        place: impl Fn(&EntryPlaces) -> Option<&Range<usize>>,
    ) {
        let mut first: BTreeMap<String, (&Host, &EntryPlaces)> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for (host, entry) in self.hosts() {
            let Some(key) = key(host) else { continue };
            let Some((before, before_entry)) = first.get(&key) else {
                first.insert(key, (host, entry));
                continue;
            };
            let (Some(here), Some(there)) = (place(entry), place(before_entry)) else { continue };
            // Two hosts of one name have one address by that alone.
            let same_again = what != "name" && before.name == host.name;
            if same_again || !told.insert((there.start, here.start)) {
                continue;
            }
            let value = match what {
                "name" => &host.name,
                "address" => &host.address,
                _ => &key,
            };
            let problem = Problem::new(format!("the {what} `{value}` is given twice"));
            let problem = if here == there {
                problem.at(here.clone(), "twice in here")
            } else {
                problem.at(here.clone(), "again here").at(there.clone(), "first here")
            };
            self.problems.add(problem.hint("no two hosts share one; do ranges overlap?"));
        }
    }

    fn one_control_plane(self) {
        let control_planes: Vec<_> = self.hosts().filter(|(host, _)| host.role == Role::ControlPlane).collect();
        match control_planes.as_slice() {
            [] if self.hosts.complete => {
                let problem = Problem::new("no host is the control plane")
                    .hint("give one of the hosts `role = \"control-plane\"`");
                self.problems.add(problem.at_given(self.hosts.entries.first().map(|entry| entry.name.clone()), ""));
            }
            [_, .., (_, last)] => {
                let mut problem =
                    Problem::new(format!("{} control planes, kfleet builds clusters with one", control_planes.len()))
                        .at_given(last.role.clone(), "")
                        .hint("leave `role = \"control-plane\"` to one host, the others are workers");
                let mut others: Vec<_> = control_planes.iter().filter_map(|(_, entry)| entry.role.clone()).collect();
                others.dedup();
                if let Some(other) = others.first().filter(|other| Some(*other) != last.role.as_ref()) {
                    problem = problem.at(other.clone(), "the first");
                }
                self.problems.add(problem);
            }
            _ => {}
        }
    }

    /// A name in /etc/hosts leads to one address of a family.
    fn hosts_file_agrees(self) {
        let mut known: BTreeMap<(&str, bool), (IpAddr, &Range<usize>)> = BTreeMap::new();
        for (host, entry) in self.hosts() {
            if let Some(ip) = host.ip() {
                known.insert((&host.name, ip.is_ipv4()), (ip, &entry.name));
            }
        }
        for (entry, places) in self.hosts_file.hosts_file.entries.iter().zip(&self.hosts_file.places) {
            for (name, place) in entry.names.iter().zip(&places.names) {
                let (ip, before) = *known.entry((name, entry.address.is_ipv4())).or_insert((entry.address, place));
                if ip != entry.address {
                    self.problems.add(
                        Problem::new(format!("`{name}` has two addresses, {ip} and {}", entry.address))
                            .at(place.clone(), format!("{} here", entry.address))
                            .at(before.clone(), format!("{ip} here"))
                            .hint("a name in /etc/hosts leads to the first address only; hosts of the inventory are there anyway"),
                    );
                }
            }
        }
    }

    /// Pods, Services and hosts have addresses of their own.
    fn networks_apart(self) {
        if let (Some(pod), Some(service)) = (&self.cluster.pod_cidr, &self.cluster.service_cidr)
            && (pod.network.contains(&service.network) || service.network.contains(&pod.network))
        {
            self.problems.add(
                Problem::new(format!("pods ({}) and Services ({}) overlap", pod.network, service.network))
                    .at_given(pod.place.clone(), "pods")
                    .at_given(service.place.clone(), "Services")
                    .hint("each needs a network that nothing else uses"),
            );
        }
        let networks = [("pod_cidr", &self.cluster.pod_cidr), ("service_cidr", &self.cluster.service_cidr)];
        for (key, network) in networks.into_iter().filter_map(|(key, network)| Some((key, network.as_ref()?))) {
            self.outside(key, network);
        }
    }

    fn outside(self, key: &str, network: &Network) {
        let tell = |who: String, ip: IpAddr, place: Range<usize>| {
            let default = if network.place.is_none() { " (the default)" } else { "" };
            self.problems.add(
                Problem::new(format!("{who} is within `{key}` = {}{default}", network.network))
                    .at(place, ip.to_string())
                    .at_given(network.place.clone(), "this network")
                    .hint(format!("set `cluster.{key}` to a network that no host is in and that nothing else uses")),
            );
        };
        let mut told = BTreeSet::new();
        for (host, entry) in self.hosts() {
            let node_ip = host.node_ip.zip(entry.node_ip.clone());
            for (ip, place) in host.ip().map(|ip| (ip, entry.address.clone())).into_iter().chain(node_ip) {
                if network.network.contains(&ip) && told.insert(place.start) {
                    tell(format!("the host `{}`", host.name), ip, place);
                }
            }
        }
        for (entry, places) in self.hosts_file.hosts_file.entries.iter().zip(&self.hosts_file.places) {
            if network.network.contains(&entry.address) {
                tell("an entry of `hosts_file`".to_owned(), entry.address, places.address.clone());
            }
        }
        if let (Some(ip), Some(place)) =
            (self.cluster.cluster.advertise_address, self.cluster.advertise_address.clone())
            && network.network.contains(&ip)
        {
            tell("the advertised address".to_owned(), ip, place);
        }
    }

    /// Pods, Services and nodes of one family, IPv4: the pod networks that kfleet installs carry no other.
    fn one_ip_family(self) {
        let (Some(pod), Some(service)) = (&self.cluster.pod_cidr, &self.cluster.service_cidr) else { return };
        if pod.network.addr().is_ipv6() {
            self.problems.add(
                Problem::new("kfleet sets up pod networks of IPv4 only")
                    .at_given(pod.place.clone(), "IPv6")
                    .hint("take a `pod_cidr` of IPv4, such as \"10.244.0.0/16\""),
            );
            return;
        }
        if service.network.addr().is_ipv6() {
            self.problems.add(
                Problem::new("pods are on IPv4, Services on IPv6")
                    .at_given(service.place.clone(), "IPv6")
                    .at_given(pod.place.clone(), "IPv4")
                    .hint("take a `service_cidr` of IPv4, such as \"10.96.0.0/12\""),
            );
        }
        let tell = |who: String, place: Range<usize>, hint: &str| {
            self.problems.add(
                Problem::new(format!("{who} is on IPv6, pods and Services are on IPv4"))
                    .at(place, "IPv6")
                    .at_given(pod.place.clone(), "IPv4")
                    .hint(hint),
            );
        };
        if let (Some(ip), Some(place)) =
            (self.cluster.cluster.advertise_address, self.cluster.advertise_address.clone())
            && ip.is_ipv6()
        {
            tell("the advertised address".to_owned(), place, "all of a cluster is of one IP family");
        }
        let mut told = BTreeSet::new();
        for (host, entry) in self.hosts() {
            let place = entry.node_ip.as_ref().filter(|_| host.node_ip.is_some()).unwrap_or(&entry.address);
            if known_ip(host).is_some_and(|ip| ip.is_ipv6()) && told.insert(place.start) {
                let hint = "the kubelet registers one address: give the host a `node_ip` of the pods' family";
                tell(format!("the host `{}`", host.name), place.clone(), hint);
            }
        }
    }

    /// The controller manager cuts a /24 for each node out of the pod network, flannel's `SubnetLen` too, and kubeadm
    /// refuses more than 16 bits to cut from. A network of IPv6 is refused anyway.
    fn pod_network_holds_all(self) {
        let Some(Network { network, place }) = &self.cluster.pod_cidr else { return };
        if network.addr().is_ipv6() {
            return;
        }
        let node: u8 = 24;
        let too = |problem: String| Problem::new(problem).at_given(place.clone(), "");
        let nodes = match node.checked_sub(network.prefix_len()) {
            Some(bits @ 0..=16) => 1_usize << bits,
            Some(_) => {
                let hint = format!("/{} is the largest that kubeadm takes", node - 16);
                return self.problems.add(too(format!("the pod network {network} is too large")).hint(hint));
            }
            None => 0,
        };
        let hosts = self.hosts.hosts.len();
        if hosts <= nodes {
            return;
        }
        let message = match nodes {
            0 => format!("the pod network {network} is smaller than the /{node} that each node gets"),
            _ => format!("the pod network {network} has a /{node} for {nodes} nodes, and there are {hosts} hosts"),
        };
        let fitting = node - u8::try_from(hosts.next_power_of_two().trailing_zeros()).unwrap_or(node).min(16);
        let too_many = self.hosts().nth(nodes).map(|(_, entry)| entry.name.clone()).filter(|_| nodes > 0);
        self.problems.add(
            too(message)
                .at_given(too_many, "the first without one is here")
                .hint(format!("each node gets a /{node} of its own: take a /{fitting} or a larger one")),
        );
    }
}
