use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::{ManagedBlock, ManagedBlockError};
use crate::facts::{Facts, Wanted};
use crate::inventory::{Host, HostsEntry, Inventory};

use super::difference::Difference;
use super::hosts_lines::lines;
use super::own_file::changed_lines;
use super::refusal::{Refusal, read};
use super::{Action, Change, Contents, Recorded, Step, Workstation, WriteFile};

/// Every host of the inventory that has an IP address is known by name on every host, by a block of kfleet's own in
/// /etc/hosts.
///
/// What stands outside the block is others' and stays byte for byte. A line there that gives a host of the inventory
/// another address would win, or be mixed with kfleet's (the first line counts for glibc, all lines for Go and musl), and
/// lead to the wrong machine: the host is refused until somebody removes it. Two kinds of lines are no conflict: the
/// host's own name on a loopback address, as Debian (`127.0.1.1`) and cloud images (`127.0.0.1`) write it, since kubeadm
/// goes by addresses; and the other family's address, which is an addition. For any other name, such as an extra entry,
/// the line is told and wins.
#[derive(Debug, Clone)]
pub struct HostsFile {
    /// The host that this is for.
    host: String,
    /// The names of the inventory's hosts.
    hosts: Vec<String>,
    /// The block, in order.
    entries: Vec<HostsEntry>,
    /// What of the sources was left out, and why.
    notes: Vec<String>,
}

pub(super) const PATH: &str = "/etc/hosts";
/// What the record says of a file that there was not.
pub(super) const NO_FILE: &str = "no file";
/// What it says of one whose last line had no end.
pub(super) const NO_LINE_END: &str = "no line end";
/// The lines that enclose kfleet's part of the file.
pub(super) const BEGIN: &str = "# BEGIN kfleet";
pub(super) const END: &str = "# END kfleet";
pub(super) const BLOCK: ManagedBlock<'_> = ManagedBlock::between(BEGIN, END);
const COMMENT: &str = "# Written by kfleet: what is changed between these two lines is lost.";

impl HostsFile {
    /// The names that the inventory's `host` is to know; `workstation` counts where the inventory says so.
    #[must_use]
    pub fn new(inventory: &Inventory, host: &str, workstation: Option<Workstation<'_>>) -> Self {
        let mut file =
            Self { host: host.to_owned(), hosts: Vec::new(), entries: named_hosts(inventory), notes: Vec::new() };
        file.hosts =
            inventory.hosts.iter().filter(|host| address_of(host).is_some()).map(|host| host.name.clone()).collect();
        file.add(&inventory.hosts_file.entries, "[hosts_file] entries");
        // Whoever has given the name an address above, as that of a load balancer, is right.
        file.add(&endpoint(inventory), "[cluster] endpoint");
        if let Some(workstation) = workstation.filter(|_| inventory.hosts_file.from_workstation) {
            let (entries, mut notes) = workstation.entries();
            file.notes.append(&mut notes);
            file.add(&entries, "the workstation's /etc/hosts");
        }
        file
    }

    /// Adds what one source says. A name that an earlier source has keeps its address.
    fn add(&mut self, entries: &[HostsEntry], source: &str) {
        let earlier = addresses_by_name(&self.entries);
        for entry in entries {
            let mut names = Vec::new();
            for name in &entry.names {
                let known = earlier.get(&name.to_ascii_lowercase()).map_or(&[][..], Vec::as_slice);
                match known.iter().find(|address| same_family(**address, entry.address)) {
                    None => names.push(name.clone()),
                    Some(_) if known.contains(&entry.address) => {}
                    Some(address) => {
                        self.notes.push(format!("{source}: {name} stays {address} and is not {}", entry.address));
                    }
                }
            }
            if !names.is_empty() {
                self.entries.push(HostsEntry { address: entry.address, names });
            }
        }
    }

    fn difference(&self, facts: &Facts) -> Result<Change, Refusal> {
        let before = read(facts, PATH)?;
        let current = before.unwrap_or_default();
        let block: Vec<_> =
            self.entries.iter().map(|entry| format!("{} {}", entry.address, entry.names.join(" "))).collect();
        let after = BLOCK.set(current, &format!("{COMMENT}\n{}", block.join("\n"))).map_err(half_a_block)?;
        let mut change = Difference { notes: self.shadowed(current)?, ..Difference::default() };
        if after != current {
            let lines = changed_lines(current, &after);
            change.diff = lines.into_iter().filter(|line| ![BEGIN, END, COMMENT].contains(&&line[2..])).collect();
            change.diff.extend(self.notes.iter().cloned());
            change.record =
                vec![Recorded { kind: "block".to_owned(), item: PATH.to_owned(), before: before_block(before) }];
            change.actions = vec![Action::Write(WriteFile {
                path: PATH.to_owned(),
                contents: Contents::Text(after),
                mode: None,
                replaces: before.map(ToOwned::to_owned),
            })];
        }
        Ok(change.or_none(format!("all {} entries are there", block.len())))
    }

    /// Tells the lines outside the block that give one of its names another address.
    fn shadowed(&self, current: &str) -> Result<Vec<String>, Refusal> {
        let ours = addresses_by_name(&self.entries);
        let (mut notes, mut conflicts) = (Vec::new(), Vec::new());
        for line in lines(current) {
            let Ok(address) = line.address.parse::<IpAddr>() else { continue };
            for name in line.names {
                let name = name.to_ascii_lowercase();
                let Some(wanted) = ours.get(&name) else { continue };
                let Some(other) = wanted.iter().find(|wanted| same_family(**wanted, address)) else { continue };
                let is_own_name = name == self.host || short(&self.host) == Some(&name);
                if wanted.contains(&address) || (address.is_loopback() && is_own_name) {
                    continue;
                }
                let told = format!("line {} of {PATH} gives {name} the address {address} and not {other}", line.number);
                if self.hosts.contains(&name) { conflicts.push(told) } else { notes.push(told) }
            }
        }
        if conflicts.is_empty() {
            return Ok(notes);
        }
        Err(Refusal {
            reason: conflicts.join("; "),
            hint: format!(
                "the line would win over kfleet's own: take the name out of it on {}, or correct the inventory's address",
                self.host
            ),
        })
    }
}

impl Step for HostsFile {
    fn name(&self) -> &'static str {
        "hosts-file"
    }

    fn probe(&self) -> Wanted {
        Wanted { files: [PATH.to_owned()].into(), ..Wanted::default() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        self.difference(facts).unwrap_or_else(Change::from)
    }
}

/// How the file was without the block, where that differs from a file that ends with a line end.
fn before_block(file: Option<&str>) -> Option<String> {
    match file {
        None => Some(NO_FILE.to_owned()),
        Some(text) if text.is_empty() || text.ends_with('\n') => None,
        Some(_) => Some(NO_LINE_END.to_owned()),
    }
}

/// The inventory's hosts, each with its short name where that can mean no other.
fn named_hosts(inventory: &Inventory) -> Vec<HostsEntry> {
    let is_short_of_one = |wanted: &str| {
        let of = inventory.hosts.iter().filter(|host| host.name == wanted || short(&host.name) == Some(wanted));
        of.count() == 1
    };
    let entry = |host: &Host| {
        let short = short(&host.name).filter(|short| is_short_of_one(short));
        let names = std::iter::once(host.name.as_str()).chain(short).map(ToOwned::to_owned).collect();
        Some(HostsEntry { address: address_of(host)?, names })
    };
    inventory.hosts.iter().filter_map(entry).collect()
}

/// The name that stands for the control plane, where there is one, at the control plane's address.
fn endpoint(inventory: &Inventory) -> Vec<HostsEntry> {
    let name = inventory.cluster.endpoint_host().filter(|name| name.parse::<IpAddr>().is_err());
    let address = inventory.cluster.advertise_address.or_else(|| address_of(inventory.control_plane()));
    let entry = |(name, address): (&str, IpAddr)| HostsEntry { address, names: vec![name.to_owned()] };
    name.zip(address).map(entry).into_iter().collect()
}

/// Where other hosts find it. A loopback address is one that only the workstation can dial, by a forwarded port.
fn address_of(host: &Host) -> Option<IpAddr> {
    host.ip().filter(|address| !address.is_loopback()).or(host.node_ip)
}

/// What stands before the first dot of a dotted name.
fn short(name: &str) -> Option<&str> {
    name.split_once('.').map(|(short, _)| short)
}

fn addresses_by_name(entries: &[HostsEntry]) -> BTreeMap<String, Vec<IpAddr>> {
    let mut addresses: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    for entry in entries {
        for name in &entry.names {
            addresses.entry(name.to_ascii_lowercase()).or_default().push(entry.address);
        }
    }
    addresses
}

fn same_family(one: IpAddr, other: IpAddr) -> bool {
    one.is_ipv4() == other.is_ipv4()
}

pub(super) fn half_a_block(error: ManagedBlockError) -> Refusal {
    Refusal {
        reason: format!("{PATH}: {error}"),
        hint: format!(
            "put `{BEGIN}` and `{END}` around kfleet's own lines, or remove the markers with what is between"
        ),
    }
}
