use std::path::Path;

use super::draft;
use super::found::{Found, Given, Notes, Place};
use super::import_error::ImportError;
use super::kind::Kind;
use super::page::{Contents, Page, Piece, What, Why};
use super::source::Source;
use super::{ansible, pssh, ssh_config};
use crate::base::printable;
use crate::inventory::{Inventory, InventoryError, Workstation};

/// An inventory made of something else.
#[derive(Debug)]
pub struct Imported {
    /// Its text, with comments; a valid inventory.
    pub text: String,
    /// What it means.
    pub inventory: Inventory,
}

/// Makes an inventory of the hosts in `source`.
///
/// `control_plane` names the host to be it; else the file's groups decide, else it is the first. What an inventory does
/// not take is left out and noted: a value for itself, a host where it would not be the same host without.
/// `notes` has that also where there is an error.
///
/// # Errors
/// When the file cannot be understood, or nothing is left of it.
pub fn import(
    source: Source<'_>,
    kind: Kind,
    control_plane: Option<&str>,
    workstation: &Workstation,
    notes: &mut Notes,
) -> Result<Imported, ImportError> {
    let mut hosts = match kind {
        Kind::Pssh => pssh::read(source, notes),
        Kind::AnsibleIni => ansible::read_ini(source, notes)?,
        Kind::AnsibleYaml => ansible::read_yaml(source, notes)?,
        Kind::SshConfig => ssh_config::read(source, workstation, notes)?,
    };
    if matches!(kind, Kind::AnsibleIni | Kind::AnsibleYaml) {
        ansible::say_what_is_beside(source, notes);
    }
    let any = !hosts.is_empty();
    if let Some(wanted) = control_plane {
        choose(&mut hosts, wanted)?;
    }
    let mut hosts = draft::name(hosts, notes);
    let origin = printable(&source.file.to_string_lossy());
    loop {
        let Some(contents) = contents(&hosts, &origin) else {
            return Err(ImportError::NoHost { file: origin, left_out: any });
        };
        let page = Page::write(contents, false);
        match parse(&page, workstation) {
            Ok(_) => break,
            Err(error) => leave_out(&mut hosts, &page, error, notes)?,
        }
    }
    if let Some(wanted) = control_plane.filter(|_| !hosts.iter().any(|host| host.control_plane)) {
        return Err(ImportError::NoSuchHost { name: wanted.to_owned(), similar: None });
    }
    one_control_plane(&hosts, notes);
    let Some(contents) = contents(&hosts, &origin) else {
        return Err(ImportError::NoHost { file: origin, left_out: any });
    };
    let page = Page::write(contents, true);
    let inventory = parse(&page, workstation).map_err(ImportError::Invalid)?;
    Ok(Imported { text: page.text, inventory })
}

/// Makes the one host the control plane that was asked for by its name in the file.
fn choose(hosts: &mut [Found], wanted: &str) -> Result<(), ImportError> {
    let mut any = false;
    for host in hosts.iter_mut() {
        host.control_plane = !any && host.name.text == wanted;
        any |= host.control_plane;
    }
    if any {
        return Ok(());
    }
    let near = |host: &&Found| strsim::damerau_levenshtein(&host.name.text, wanted);
    let similar = hosts.iter().min_by_key(near).filter(|host| near(host) <= wanted.len() / 3);
    let similar = similar.map(|host| printable(&host.name.text));
    Err(ImportError::NoSuchHost { name: printable(wanted), similar })
}

fn contents<'a>(hosts: &'a [Found], origin: &'a str) -> Option<Contents<'a>> {
    let control_plane = match hosts.iter().position(|host| host.control_plane) {
        Some(at) => (at, Why::Said),
        None if hosts.is_empty() => return None,
        None => (0, Why::First),
    };
    let (pods, services) = draft::networks(hosts);
    Some(Contents { origin, hosts, control_plane, pods, services })
}

fn parse(page: &Page, workstation: &Workstation) -> Result<Inventory, InventoryError> {
    Inventory::parse(&page.text, Path::new("inventory.toml"), workstation)
}

/// Takes out what the inventory does not take, and says so.
fn leave_out(hosts: &mut Vec<Found>, page: &Page, error: InventoryError, notes: &mut Notes) -> Result<(), ImportError> {
    let refused: Vec<(Piece, &str)> = error
        .problems()
        .iter()
        .filter_map(|problem| {
            Some((page.piece_at(problem.labels.first()?.span.start)?.clone(), problem.message.as_str()))
        })
        .collect();
    if refused.is_empty() {
        return Err(ImportError::Invalid(error));
    }
    let mut gone = vec![false; hosts.len()];
    // From the last to the first, so that what is left keeps its place in its list.
    for (Piece { host: at, what }, why) in refused.into_iter().rev() {
        let Some((host, gone)) = hosts.get_mut(at).zip(gone.get_mut(at)) else { continue };
        let name = &host.name.text;
        match what {
            What::Host if !*gone => {
                notes.say(&host.name.at, format!("`{name}` is left out: {why}"));
                *gone = true;
            }
            What::Host => {}
            What::NodeIp => {
                if let Some(node_ip) = host.node_ip.take() {
                    notes.say(&node_ip.at, format!("the address of `{name}` within the cluster is left out: {why}"));
                }
            }
            What::Identity(nth) => {
                take(&mut host.identities, nth, |at| notes.say(at, format!("a key is left out: {why}")))
            }
            What::Group(nth) => take(&mut host.groups, nth, |at| notes.say(at, format!("a group is left out: {why}"))),
            What::Variable(variable) => {
                if let Some(value) = host.variables.remove(&variable) {
                    notes.say(&value.at, format!("the variable `{variable}` is left out: {why}"));
                }
            }
        }
    }
    let mut gone = gone.into_iter();
    hosts.retain(|_| !gone.next().unwrap_or_default());
    Ok(())
}

fn take(list: &mut Vec<Given>, nth: usize, say: impl FnOnce(&Place)) {
    if nth < list.len() {
        say(&list.remove(nth).at);
    }
}

/// kfleet builds clusters with one.
fn one_control_plane(hosts: &[Found], notes: &mut Notes) {
    for host in hosts.iter().filter(|host| host.control_plane).skip(1) {
        let name = &host.name.text;
        notes.say(&host.name.at, format!("`{name}` is a worker here: kfleet builds clusters with one control plane"));
    }
}
