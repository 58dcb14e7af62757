use std::net::IpAddr;

use crate::base::printable;
use crate::inventory::HostsEntry;

use super::hosts_lines::lines;

/// The names that the workstation knows.
#[derive(Debug, Clone, Copy)]
pub struct Workstation<'a> {
    /// Its /etc/hosts. Bytes that are not UTF-8 may be replaced: they stand in comments, or make a bad name.
    pub hosts_file: &'a str,
    /// Its hostname, short or full.
    pub hostname: &'a str,
}

impl Workstation<'_> {
    /// What other hosts can use of it, and a note for each line that nobody can. Left out without a word: kfleet's own
    /// block, the workstation's own names, and addresses that mean another machine everywhere, such as loopback.
    pub(super) fn entries(&self) -> (Vec<HostsEntry>, Vec<String>) {
        let (mut entries, mut notes) = (Vec::new(), Vec::new());
        for line in lines(self.hosts_file) {
            let mut note = |reason: &str| {
                let line = line.number;
                notes.push(printable(&format!("line {line} of the workstation's /etc/hosts is left out: {reason}")));
            };
            if line.address.contains('%') {
                continue;
            }
            let Ok(address) = line.address.parse() else {
                note(&format!("`{}` is no address", line.address));
                continue;
            };
            if means_another_elsewhere(address) {
                continue;
            }
            if let Some(bad) = line.names.iter().find(|name| !is_host_name(name)) {
                note(&format!("`{bad}` is no host name"));
                continue;
            }
            let names: Vec<_> =
                line.names.iter().filter(|name| !self.is_own(name)).map(|name| (*name).to_owned()).collect();
            if !names.is_empty() {
                entries.push(HostsEntry { address, names });
            } else if line.names.is_empty() {
                note("it has no name");
            }
        }
        (entries, notes)
    }

    fn is_own(&self, name: &str) -> bool {
        let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let is_hostname = name.eq_ignore_ascii_case(self.hostname)
            || name.eq_ignore_ascii_case(&short(self.hostname))
            || short(name).eq_ignore_ascii_case(self.hostname);
        // Debian's names for groups of hosts that every host is in, such as ip6-allnodes.
        is_hostname || name == "localhost" || name.starts_with("ip6-")
    }
}

/// Loopback, `0.0.0.0` of block lists, multicast, and macOS's `255.255.255.255 broadcasthost`.
fn means_another_elsewhere(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    address.is_loopback() || address.is_unspecified() || address.is_multicast() || is_broadcast
}

fn is_host_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
