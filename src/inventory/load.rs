use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use toml::de::DeTable;

use super::agreement::Agreement;
use super::hosts_section::{self, Defaults};
use super::model::Inventory;
use super::problem::{InventoryError, Problem, Problems};
use super::section::{Section, Source};
use super::workstation::Workstation;
use super::{cluster_section, settings_sections, ssh_section};

/// Far more than ten thousand hosts take; a device or a log named by mistake ends here.
const LARGEST_FILE: u64 = 4 << 20;

impl Inventory {
    /// Reads an inventory file, with the user and the home of this machine.
    ///
    /// # Errors
    /// With everything that is wrong, from a file that is not there to hosts that share an address.
    pub fn load(path: &Path) -> Result<Self, InventoryError> {
        Self::load_on(path, &Workstation::from_environment())
    }

    /// As [`Inventory::load`], with a user and a home that are given.
    ///
    /// # Errors
    /// As [`Inventory::load`].
    pub fn load_on(path: &Path, workstation: &Workstation) -> Result<Self, InventoryError> {
        let refuse = |text: &str, problem| Err(InventoryError::new(path, text, vec![problem]));
        let bytes = match read_file(path) {
            Ok(bytes) => bytes,
            Err(error) => return refuse("", cannot_read(&error)),
        };
        if bytes.len() as u64 > LARGEST_FILE {
            return refuse("", Problem::new("larger than 4 MiB, which is no inventory"));
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(text, path, workstation),
            Err(_) if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => {
                refuse("", Problem::new("this is UTF-16").hint("save the file as UTF-8"))
            }
            Err(error) => {
                let at = error.valid_up_to();
                let problem = Problem::new("this is not UTF-8").at(at..at + 1, "").hint("save the file as UTF-8");
                refuse(&String::from_utf8_lossy(&bytes), problem)
            }
        }
    }

    /// Reads the text of an inventory that is said to come from the file `origin`; nothing else of the machine is looked at.
    ///
    /// # Errors
    /// With everything that is wrong. Of a text that is no TOML only that is told.
    pub fn parse(text: &str, origin: &Path, workstation: &Workstation) -> Result<Self, InventoryError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(InventoryError::new(origin, text, errors.iter().map(|error| not_toml(text, error)).collect()));
        }
        let problems = Problems::default();
        let inventory = {
            let source = Source { text, problems: &problems };
            let directory = origin.parent().unwrap_or(Path::new(""));
            read(Section::top(&table, &source), workstation, directory, &problems)
        };
        let problems = problems.into_inner();
        if problems.is_empty() { Ok(inventory) } else { Err(InventoryError::new(origin, text, problems)) }
    }
}

fn read(mut top: Section<'_>, workstation: &Workstation, directory: &Path, problems: &Problems) -> Inventory {
    let cluster = cluster_section::read(top.section("cluster"), workstation, directory);
    let ssh = ssh_section::read_defaults(top.section("ssh"), workstation, directory);
    let hosts = hosts_section::read(&mut top, Defaults { ssh: &ssh, workstation, directory });
    let hosts_file = settings_sections::hosts_file(top.section("hosts_file"));
    let kernel = settings_sections::kernel(top.section("kernel"));
    let firewall = settings_sections::firewall(top.section("firewall"));
    top.finish();
    Agreement { cluster: &cluster, hosts: &hosts, hosts_file: &hosts_file, problems }.check();
    Inventory { cluster: cluster.cluster, hosts: hosts.hosts, hosts_file: hosts_file.hosts_file, kernel, firewall }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn cannot_read(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::NotFound => Problem::new("there is no such file").hint("`-i FILE` names the inventory"),
        io::ErrorKind::IsADirectory => Problem::new("this is a directory").hint("name the inventory file in it"),
        io::ErrorKind::PermissionDenied => Problem::new("you may not read this file").hint("`ls -l` tells whose it is"),
        _ => Problem::new(format!("cannot be read: {error}")),
    }
}

fn not_toml(text: &str, error: &toml::de::Error) -> Problem {
    let message = error.message().trim_end_matches(", expected nothing");
    let mut problem = Problem::new(format!("not TOML: {message}")).at_given(error.span(), "");
    problem.hint = error.span().and_then(|span| without_quotes(text, span.start));
    problem
}

/// What most often is no TOML: `pod_cidr = 10.244.0.0/16`.
fn without_quotes(text: &str, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let (key, value) = text.get(start..)?.lines().next()?.split_once('=')?;
    let value = value.split('#').next()?.trim();
    let bare = |c: char| c.is_ascii_alphanumeric() || "./:-_~@".contains(c);
    (!value.is_empty() && value.chars().all(bare))
        .then(|| format!("text stands in quotes: {} = \"{value}\"", key.trim()))
}
