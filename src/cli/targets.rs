use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgAction;
use secrecy::SecretString;

use crate::host::Connect;
use crate::inventory::Inventory;
use crate::nodes::Known;
use crate::ssh::Wanted;

use super::destination::{self, Destination};
use super::exit::complain;
use super::inventory_arg::InventoryArg;
use super::last_failed::LastFailed;
use super::selection::Selection;
use super::ssh_args::SshArgs;
use super::{Exit, connections, set_report};

/// Which hosts a command goes to, for every command that is not about a whole cluster. `-h` is theirs, as in pssh: help is
/// `--help` alone.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, next_help_heading = "Hosts")]
pub(super) struct TargetArgs {
    #[command(flatten)]
    inventory: InventoryArg,

    /// Hosts in place of an inventory's, as `[user@]HOST[:port]` and blanks between them; node sets as `node[1-9]` too
    #[arg(short = 'H', long = "host", value_name = "HOSTS")]
    host: Vec<String>,

    /// A file of hosts in place of an inventory, pssh's: a line is `[user@]host[:port]` or `host[:port] user`
    #[arg(short = 'h', long, value_name = "FILE")]
    hosts_file: Vec<PathBuf>,

    /// Only these of them: a node set as `node[1-9]!node3`, `@group`, `@worker`, `web*`, or several with blanks between them
    #[arg(long, value_name = "SET", visible_alias = "limit")]
    hosts: Vec<String>,

    /// Not these of them
    #[arg(long, value_name = "SET")]
    exclude: Vec<String>,

    /// Only those of them that failed the last time
    #[arg(long)]
    failed: bool,

    /// Log in as this user; one that -H or -h says of a host comes first
    #[arg(short = 'l', long, value_name = "USER")]
    user: Option<String>,

    #[command(flatten)]
    ssh: SshArgs,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// The hosts that were asked for, yet to be dialled.
pub(super) struct Targets {
    /// How each is called in what is shown, in order; no two are called the same.
    pub(super) names: Vec<String>,
    /// The same hosts.
    pub(super) hosts: Vec<Arc<dyn Connect>>,
    /// The same hosts and their groups, for node sets that choose among them.
    pub(super) known: Known,
    /// Where it is kept which of them fail.
    pub(super) last_failed: LastFailed,
}

/// All hosts that could be selected from.
struct Fleet {
    /// In order.
    hosts: Vec<Wanted>,
    groups: BTreeMap<String, Vec<String>>,
    last_failed: LastFailed,
}

impl TargetArgs {
    /// The hosts, to run things on as root if need be; or, everything that is wrong having been told on stderr, the exit.
    pub(super) fn resolve(&self, root: bool, sudo_password: Option<&SecretString>) -> Result<Targets, Exit> {
        let Fleet { mut hosts, groups, last_failed } = self.fleet()?;
        let known = Known { names: hosts.iter().map(|host| host.name.clone()).collect(), groups };
        let failed = match self.failed.then(|| last_failed.read()).transpose() {
            Ok(failed) => failed.map(Option::unwrap_or_default),
            Err(reason) => return Err(complain(Exit::Local, &reason)),
        };
        let selection = Selection { hosts: &self.hosts, exclude: &self.exclude, failed: failed.as_deref() };
        let selected = selection.of(&known).map_err(|reason| complain(Exit::Usage, &reason))?;
        hosts.retain(|host| selected.contains(&host.name));
        let names = hosts.iter().map(|host| host.name.clone()).collect::<Vec<_>>();
        let mut groups = known.groups;
        groups.values_mut().for_each(|members| members.retain(|name| selected.contains(name)));
        let hosts = connections::to(&hosts, &self.ssh, root, sudo_password)?;
        Ok(Targets { known: Known { names: names.clone(), groups }, names, hosts, last_failed })
    }

    fn fleet(&self) -> Result<Fleet, Exit> {
        let is_ad_hoc = !self.host.is_empty() || !self.hosts_file.is_empty();
        if is_ad_hoc && self.inventory.is_named() {
            let reason = "-i cannot be used with -H or -h: the hosts are those of an inventory, or those said here";
            return Err(complain(Exit::Usage, reason));
        }
        let last_failed = LastFailed::of((!is_ad_hoc).then(|| self.inventory.path()));
        let last_failed = last_failed.map_err(|reason| complain(Exit::Local, &reason))?;
        if is_ad_hoc {
            let hosts = self.ad_hoc().map_err(|reason| complain(Exit::Usage, &reason))?;
            let names = hosts.iter().map(|host| host.name.clone()).collect();
            return Ok(Fleet { hosts, groups: BTreeMap::from([("all".to_owned(), names)]), last_failed });
        }
        let inventory = self.inventory.load()?;
        let hosts = inventory.hosts.iter().map(|host| {
            let wanted = Wanted::from(host);
            Wanted { user: self.user.clone().or(wanted.user), ..wanted }
        });
        Ok(Fleet { hosts: hosts.collect(), groups: groups(&inventory), last_failed })
    }

    /// The hosts of -H and -h.
    fn ad_hoc(&self) -> Result<Vec<Wanted>, String> {
        let mut all = Vec::new();
        for text in &self.host {
            all.append(&mut destination::words(text).map_err(|error| set_report::told("-H", text, &error))?);
        }
        for path in &self.hosts_file {
            let lines = read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            all.append(&mut destination::lines(&lines).map_err(|error| format!("{}:{error}", path.display()))?);
        }
        if all.is_empty() {
            return Err("there is no host in what -H or -h say".to_owned());
        }
        Ok(destination::distinct(all).into_iter().map(|host| wanted(host, self.user.as_ref())).collect())
    }
}

fn wanted(host: Destination, user: Option<&String>) -> Wanted {
    let Destination { name, address, user: of_host, port } = host;
    Wanted { name, address, user: of_host.or(user.cloned()), port, ..Wanted::default() }
}

/// `all`, the roles, and the inventory's own groups; one that is called as a role is has the members of both.
pub(super) fn groups(inventory: &Inventory) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for host in &inventory.hosts {
        let role = host.role.to_string();
        for group in host.groups.iter().map(String::as_str).chain(["all", &role]) {
            groups.entry(group.to_owned()).or_default().push(host.name.clone());
        }
    }
    groups
}

/// Far more than ten thousand hosts take; a device or a log named by mistake ends here.
const LARGEST_FILE: u64 = 4 << 20;

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_FILE { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
