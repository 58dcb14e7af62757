//! What an inventory expands to, and what node sets do: `kfleet hosts`.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::base::printable;
use crate::inventory::{Host, Inventory};
use crate::nodes::{Expression, Known, Names};

use super::exit::complain;
use super::inventory_arg::InventoryArg;
use super::{Exit, set_report, targets};

/// Show the hosts that an inventory expands to, or what a node set comes to
///
/// Ranges are spelled out and defaults filled in. Nothing is connected to.
///
/// Node sets are clush's: `node[1-9,12]`, `[01-20]`, `[2-6/2]`, `dc[1-2]n[1-2]`; `,` adds, `!` takes away, `&` keeps what both
/// have, `^` what one of them has. They need no inventory but for `@group`, `@*` and wildcards.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct HostsArgs {
    #[command(flatten)]
    inventory: InventoryArg,

    /// Tell programs: a JSON list of the hosts
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    set: SetArgs,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false, conflicts_with = "json")]
#[command(next_help_heading = "Node sets")]
struct SetArgs {
    /// The names of this node set, one a line
    #[arg(long, value_name = "SET")]
    expand: Option<String>,

    /// These names, or those that stdin has, as one node set
    #[arg(long, value_name = "NAMES", num_args = 0..)]
    fold: Option<Vec<String>>,

    /// How many names this node set has
    #[arg(long, value_name = "SET")]
    count: Option<String>,
}

const AFTER: &str = "Examples:
  kfleet hosts -i lab.toml
  kfleet hosts --json | jq -r '.[] | select(.role == \"worker\") | .address'
  kfleet hosts --expand 'node[01-20]!node13'     one name a line
  kfleet hosts --expand '@worker' -i lab.toml    the workers of lab.toml
  kfleet hosts --fold node1 node2 node5          node[1-2,5]
  kfleet hosts --fold < names                    the same of a file

Exit status:
  0  the inventory, or the node set, is valid
  2  it is not, or the command line is wrong";

pub(super) fn run(args: &HostsArgs) -> Exit {
    match args.set() {
        Ok(Some(text)) => return Exit::written(&io::stdout().write_all(text.as_bytes())),
        Ok(None) => {}
        Err(exit) => return exit,
    }
    let inventory = match args.inventory.load() {
        Ok(inventory) => inventory,
        Err(exit) => return exit,
    };
    let hosts = if args.json { json(&inventory) } else { table(&inventory) };
    Exit::written(&io::stdout().write_all(hosts.as_bytes()))
}

impl HostsArgs {
    /// What is asked of a node set, where something is.
    fn set(&self) -> Result<Option<String>, Exit> {
        Ok(Some(match &self.set {
            SetArgs { expand: Some(set), .. } => {
                self.names("--expand", set)?.list().iter().map(|name| format!("{}\n", printable(name))).collect()
            }
            SetArgs { count: Some(set), .. } => format!("{}\n", self.names("--count", set)?.len()),
            SetArgs { fold: Some(words), .. } => {
                let words = if words.is_empty() { words_of_stdin()? } else { words.clone() };
                let sets = words.iter().map(|set| self.names("--fold", set));
                let lists = sets.map(|names| names.map(|names| names.list())).collect::<Result<Vec<_>, _>>()?;
                let names: Names = lists.into_iter().flatten().collect();
                format!("{}\n", printable(&names.fold()))
            }
            SetArgs { expand: None, count: None, fold: None } => return Ok(None),
        }))
    }

    /// The names of a set; an inventory is read where the set needs one.
    fn names(&self, flag: &str, text: &str) -> Result<Names, Exit> {
        let wrong = |error| complain(Exit::Usage, &set_report::told(flag, text, &error));
        let set = Expression::parse(text).map_err(wrong)?;
        let inventory = if set.needs_known() { self.inventory.load_where_there()? } else { None };
        let known = inventory.map(|inventory| Known {
            names: inventory.hosts.iter().map(|host| host.name.clone()).collect(),
            groups: targets::groups(&inventory),
        });
        set.evaluate(known.as_ref()).map_err(wrong)
    }
}

fn words_of_stdin() -> Result<Vec<String>, Exit> {
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.map_err(|error| complain(Exit::Local, &format!("cannot read stdin: {error}")))?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
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
