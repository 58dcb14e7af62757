//! What an inventory expands to: `kfleet hosts`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::inventory::{Host, Inventory};

use super::Exit;
use super::inventory_arg::InventoryArg;

/// Show the hosts that an inventory expands to
///
/// Ranges are spelled out and defaults filled in. Nothing is connected to.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct HostsArgs {
    #[command(flatten)]
    inventory: InventoryArg,

    /// Tell programs: a JSON list of the hosts
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "Examples:
  kfleet hosts -i lab.toml
  kfleet hosts --json | jq -r '.[] | select(.role == \"worker\") | .address'

Exit status:
  0  the inventory is valid
  2  it is not, or the command line is wrong";

pub(super) fn run(args: &HostsArgs) -> Exit {
    let inventory = match args.inventory.load() {
        Ok(inventory) => inventory,
        Err(exit) => return exit,
    };
    let hosts = if args.json { json(&inventory) } else { table(&inventory) };
    Exit::written(&io::stdout().write_all(hosts.as_bytes()))
}

/// A line a host, under a header.
#[must_use]
fn table(inventory: &Inventory) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["NAME", "ADDRESS", "ROLE", "GROUPS", "USER", "PORT", "VARIABLES"]);
    for host in &inventory.hosts {
        let variables: Vec<_> = host.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        table.add_row([
            host.name.clone(),
            host.address.clone(),
            host.role.to_string(),
            host.groups.join(","),
            host.ssh.user.clone().unwrap_or_default(),
            host.ssh.port.map(|port| port.to_string()).unwrap_or_default(),
            variables.join(" "),
        ]);
    }
    format!("{}\n", table.trim_fmt())
}

/// For machines, `--json`: a list of objects, one a host, in the inventory's order.
fn json(inventory: &Inventory) -> String {
    let hosts: Vec<_> = inventory.hosts.iter().map(HostLine::from).collect();
    // Strings, numbers and lists of them always have a JSON form.
    format!("{}\n", serde_json::to_string_pretty(&hosts).unwrap_or_default())
}

#[derive(Debug, Serialize)]
struct HostLine<'a> {
    name: &'a str,
    address: &'a str,
    role: String,
    groups: &'a [String],
    /// Where the inventory leaves them to ssh_config, they are null.
    user: Option<&'a str>,
    port: Option<u16>,
    node_ip: Option<std::net::IpAddr>,
    cri_socket: Option<&'a str>,
    variables: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a Host> for HostLine<'a> {
    fn from(host: &'a Host) -> Self {
        Self {
            name: &host.name,
            address: &host.address,
            role: host.role.to_string(),
            groups: &host.groups,
            user: host.ssh.user.as_deref(),
            port: host.ssh.port,
            node_ip: host.node_ip,
            cri_socket: host.cri_socket.as_deref(),
            variables: &host.variables,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{json, table};
    use crate::inventory::{Inventory, Workstation};

    fn inventory() -> Inventory {
        let text = r#"
            [cluster]
            name = "lab"
            [[hosts]]
            name = "kubemaster-1"
            address = "192.168.122.11"
            role = "control-plane"
            [[hosts]]
            name = "kubenode-[1-2]"
            address = "192.168.122.[15-16]"
            groups = ["kube", "rack-a"]
            variables = { rack = "a", slot = 3 }
            ssh = { user = "root", port = 2222 }
            node_ip = "10.0.0.[15-16]"
        "#;
        let workstation = Workstation { user: Some("tester".to_owned()), home: None };
        Inventory::parse(text, Path::new("inventory.toml"), &workstation).unwrap()
    }

    #[test]
    fn a_person_reads_a_line_a_host() {
        insta::assert_snapshot!(table(&inventory()));
    }

    #[test]
    fn a_machine_reads_an_object_a_host() {
        insta::assert_snapshot!(json(&inventory()));
    }
}
