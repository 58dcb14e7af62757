use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;

use super::addresses::{ip, name_or_ip};
use super::cluster_section::one_of;
use super::model::{Host, Role};
use super::names::{dns_name, group, line, socket, variable};
use super::problem::{Complaint, Problem};
use super::section::{Item, Section};
use super::ssh_section::{self, SshSection};
use super::workstation::Workstation;
use crate::nodes::NodeSet;

/// The hosts of all `[[hosts]]` tables and where each comes from.
#[derive(Debug, Default)]
pub(super) struct HostsSection {
    pub(super) hosts: Vec<Host>,
    /// Of each host, which of `entries` it comes from.
    pub(super) entry_of: Vec<usize>,
    pub(super) entries: Vec<EntryPlaces>,
    /// Whether every table could be read as far as its hosts and their roles go.
    pub(super) complete: bool,
}

/// Where a `[[hosts]]` table says what others are held against.
#[derive(Debug)]
pub(super) struct EntryPlaces {
    pub(super) name: Range<usize>,
    /// The name's place where the name is the address.
    pub(super) address: Range<usize>,
    pub(super) node_ip: Option<Range<usize>>,
    pub(super) role: Option<Range<usize>>,
}

/// Kubernetes itself is tested up to 5,000 nodes.
const MOST_HOSTS: usize = 10_000;

/// What the hosts' defaults and paths are taken from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults<'a> {
    pub(super) ssh: &'a SshSection,
    pub(super) workstation: &'a Workstation,
    pub(super) directory: &'a Path,
}

pub(super) fn read(top: &mut Section<'_>, defaults: Defaults<'_>) -> HostsSection {
    let item = top.item("hosts");
    if item.as_ref().is_none_or(Item::is_empty_list) {
        top.missing("hosts", "at least `[[hosts]]` with `name = \"node1\"` and `role = \"control-plane\"`");
    }
    let entries = item.map(|item| item.items()).unwrap_or_default();
    let mut read = HostsSection { complete: !entries.is_empty(), ..HostsSection::default() };
    for entry in entries {
        let complete = entry.section().and_then(|entry| read.entry(entry, defaults)).is_some();
        read.complete &= complete;
    }
    read
}

impl HostsSection {
    /// Adds the hosts of one table; `None` after a problem that makes them unsure.
    fn entry(&mut self, mut entry: Section<'_>, defaults: Defaults<'_>) -> Option<()> {
        let name = entry.item("name");
        if name.is_none() {
            entry.missing("name", "such as `name = \"node1\"`, or `name = \"node[01-20]\"` for twenty of them");
        }
        let names = name.as_ref().and_then(|item| self.expand(item, dns_name));
        let address_item = entry.item("address");
        let addresses = address_item.as_ref().map(|item| self.expand(item, name_or_ip));
        let node_ip_item = entry.item("node_ip");
        let node_ips = node_ip_item.as_ref().map(|item| self.expand(item, ip));
        let role = entry.parse("role", role);
        let groups = entry.plain_list("groups", group);
        let variables = variables(&mut entry);
        let ssh = ssh_section::read(entry.section("ssh"), defaults.workstation, defaults.directory);
        let cri_socket = entry.parse("cri_socket", socket).map(Spanned::into_inner);
        let role_is_sure = role.is_some() || !entry.has("role");
        entry.finish();

        let (name, names) = (name?, names?);
        let ssh = ssh.over(defaults.ssh);
        let addresses = in_parallel(&name, names.len(), address_item.as_ref(), addresses, "address");
        let node_ips = in_parallel(&name, names.len(), node_ip_item.as_ref(), node_ips, "node IP");
        let (addresses, node_ips) = (addresses?, node_ips?);
        let entry_at = self.entries.len();
        self.entries.push(EntryPlaces {
            name: name.span(),
            address: address_item.as_ref().map_or_else(|| name.span(), Item::span),
            node_ip: node_ip_item.as_ref().map(Item::span),
            role: role.as_ref().map(Spanned::span),
        });
        let role = role.map_or(Role::Worker, Spanned::into_inner);
        for (at, name) in names.into_iter().enumerate() {
            self.entry_of.push(entry_at);
            self.hosts.push(Host {
                address: addresses.get(at).cloned().unwrap_or_else(|| name.clone()),
                name,
                role,
                groups: groups.clone(),
                variables: variables.clone(),
                ssh: ssh.clone(),
                cri_socket: cri_socket.clone(),
                node_ip: node_ips.get(at).copied(),
            });
        }
        role_is_sure.then_some(())
    }

    /// The members of a node set, each read; of those that cannot be read the first is the problem.
    fn expand<T>(&self, item: &Item<'_>, read: fn(&str) -> Result<T, Complaint>) -> Option<Vec<T>> {
        let members = item.parse(|text| {
            let set = NodeSet::parse(text).map_err(|error| {
                Complaint::new(error.message)
                    .hint("a range is written as node[01-20], node[1-9/2] or node[1,4,7-9]")
                    .within(error.at)
            })?;
            set.expand(MOST_HOSTS.saturating_sub(self.hosts.len())).ok_or_else(|| {
                Complaint::new(format!("more than {MOST_HOSTS} hosts"))
                    .hint("one inventory holds no more; is the range meant?")
            })
        })?;
        let alone = members.get_ref().len() == 1;
        let read_all = members.into_inner().iter().map(|member| read(member)).collect::<Result<Vec<_>, _>>();
        match read_all {
            Ok(members) => Some(members),
            Err(complaint) => {
                // Bytes of one member are bytes of the whole only where there is one.
                item.complain(Complaint { within: complaint.within.filter(|_| alone), ..complaint });
                None
            }
        }
    }
}

/// As many values as there are names, or none at all where the key is not there; `None` after a problem.
fn in_parallel<T>(
    name: &Item<'_>,
    names: usize,
    item: Option<&Item<'_>>,
    values: Option<Option<Vec<T>>>,
    what: &str,
) -> Option<Vec<T>> {
    let (Some(item), Some(values)) = (item, values) else { return Some(Vec::new()) };
    let values = values?;
    if values.len() == names {
        return Some(values);
    }
    item.add(
        Problem::new(format!("{}, but {}", counted(names, "name"), counted(values.len(), what)))
            .at(item.span(), counted(values.len(), what))
            .at(name.span(), counted(names, "name"))
            .hint("both expand side by side, so both need as many members"),
    );
    None
}

fn counted(count: usize, what: &str) -> String {
    match (count, what.strip_suffix("ss")) {
        (1, _) => format!("1 {what}"),
        (_, Some(_)) => format!("{count} {what}es"),
        _ => format!("{count} {what}s"),
    }
}

fn variables(entry: &mut Section<'_>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (key, value) in entry.item("variables").iter().flat_map(Item::entries) {
        match variable(key.get_ref()) {
            Ok(name) => {
                let Some(text) = value.scalar() else { continue };
                match line(&text) {
                    Ok(text) => drop(variables.insert(name, text)),
                    Err(complaint) => value.complain(complaint),
                }
            }
            Err(Complaint { message, hint, .. }) => {
                entry.add(Problem { hint, ..Problem::new(message).at(key.span(), "") });
            }
        }
    }
    variables
}

fn role(text: &str) -> Result<Role, Complaint> {
    if text == "master" {
        return Err(Complaint::new("there is no role `master`").hint("did you mean `control-plane`?"));
    }
    one_of("role", text, &[Role::ControlPlane, Role::Worker].map(|role| (role.to_string(), role)))
}

/// The address a host is known to be at: its node IP, or else its address where that is no name.
pub(super) fn known_ip(host: &Host) -> Option<IpAddr> {
    host.node_ip.or_else(|| host.ip())
}
