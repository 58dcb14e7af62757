//! `[hosts_file]`, `[kernel]` and `[firewall]`: settings of every host.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use super::addresses::{ip, port_range};
use super::model::{Firewall, HostsEntry, HostsFile, Kernel, PortRange};
use super::names::{dns_name, line, module, sysctl, zone};
use super::problem::{Complaint, Problem};
use super::section::{Item, Section};

/// What kubeadm's preflight and kube-proxy need of a kernel.
const SYSCTLS: [(&str, &str); 3] = [
    ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ("net.bridge.bridge-nf-call-iptables", "1"),
    ("net.ipv4.ip_forward", "1"),
];
/// containerd's snapshots and the sysctls of bridges need them.
const MODULES: [&str; 2] = ["overlay", "br_netfilter"];

/// `[hosts_file]` and where each entry's address and names are.
#[derive(Debug)]
pub(super) struct HostsFileSection {
    pub(super) hosts_file: HostsFile,
    pub(super) places: Vec<EntryPlaces>,
}

#[derive(Debug)]
pub(super) struct EntryPlaces {
    pub(super) address: Range<usize>,
    pub(super) names: Vec<Range<usize>>,
}

pub(super) fn hosts_file(mut section: Section<'_>) -> HostsFileSection {
    let (mut entries, mut places) = (Vec::new(), Vec::new());
    for mut entry in section.item("entries").iter().flat_map(Item::items).filter_map(|item| item.section()) {
        let address = entry.parse("address", ip);
        if !entry.has("address") {
            entry.missing("address", "such as { address = \"192.168.1.5\", names = [\"registry.local\"] }");
        }
        let names = entry.item("names");
        if names.as_ref().is_none_or(Item::is_empty_list) {
            entry.missing("names", "an address in /etc/hosts has at least one name");
        }
        entry.finish();
        let names = names.map(|item| item.items().iter().filter_map(|name| name.parse(dns_name)).collect::<Vec<_>>());
        if let (Some(address), Some(names)) = (address, names) {
            places.push(EntryPlaces { address: address.span(), names: names.iter().map(Spanned::span).collect() });
            let names = names.into_iter().map(Spanned::into_inner).collect();
            entries.push(HostsEntry { address: address.into_inner(), names });
        }
    }
    let from_workstation = section.flag("from_workstation").unwrap_or(false);
    section.finish();
    HostsFileSection { hosts_file: HostsFile { entries, from_workstation }, places }
}

pub(super) fn kernel(mut section: Section<'_>) -> Kernel {
    let mut given: BTreeMap<String, (String, Range<usize>)> = BTreeMap::new();
    for (key, value) in section.item("sysctls").iter().flat_map(Item::entries) {
        let problem = |message: String| Problem::new(message).at(key.span(), "");
        if value.is_table() {
            section.add(
                problem(format!("`{}` is a table, not a sysctl's value", key.get_ref())).hint(
                    "a dot in a key makes a table: put the sysctl in quotes, such as \"net.ipv4.ip_forward\" = 1",
                ),
            );
            continue;
        }
        let name = match sysctl(key.get_ref()) {
            Ok(name) => name,
            Err(Complaint { message, hint, .. }) => {
                section.add(Problem { hint, ..problem(message) });
                continue;
            }
        };
        let Some(text) = value.scalar() else { continue };
        if let Err(complaint) = line(&text) {
            value.complain(complaint);
        } else if let Some((_, before)) = given.insert(name.clone(), (text, key.span())) {
            section.add(problem(format!("the sysctl `{name}` is set twice")).at(before, "and here"));
        }
    }
    let mut sysctls: BTreeMap<String, String> = SYSCTLS.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    sysctls.extend(given.into_iter().map(|(key, (value, _))| (key, value)));

    let mut modules: Vec<String> = MODULES.map(str::to_owned).into();
    for name in section.plain_list("modules", module) {
        // The kernel does not tell `-` from `_` here.
        if !modules.iter().any(|known| known.replace('-', "_") == name.replace('-', "_")) {
            modules.push(name);
        }
    }
    section.finish();
    Kernel { sysctls, modules }
}

pub(super) fn firewall(mut section: Section<'_>) -> Firewall {
    let ports = |section: &mut Section<'_>, key| -> Vec<PortRange> { section.plain_list(key, port_range) };
    let pod_network_ports = section.list("pod_network_ports", port_range);
    let read = Firewall {
        manage: section.flag("manage").unwrap_or(true),
        zone: section.parse("zone", zone).map(Spanned::into_inner),
        pod_network_ports: pod_network_ports.map(|ports| ports.into_iter().map(Spanned::into_inner).collect()),
        ports: ports(&mut section, "ports"),
        control_plane_ports: ports(&mut section, "control_plane_ports"),
        worker_ports: ports(&mut section, "worker_ports"),
    };
    section.finish();
    read
}
