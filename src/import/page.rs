use std::fmt::Write;
use std::ops::Range;

use ipnet::IpNet;

use super::found::{Found, Given};
use crate::base::printable;

/// An inventory's text, and which part of it says what of which host.
pub(super) struct Page {
    pub(super) text: String,
    pieces: Vec<(Range<usize>, Piece)>,
}

/// One thing that is said of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The host's place among the others.
    pub(super) host: usize,
    pub(super) what: What,
}

/// What can be left out, and what takes its host with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Without it, it is not that host: its name, its address, its port, who logs in.
    Host,
    NodeIp,
    Identity(usize),
    Group(usize),
    Variable(String),
}

/// What a page is made of.
#[derive(Clone, Copy)]
pub(super) struct Contents<'a> {
    /// The file that the hosts come from.
    pub(super) origin: &'a str,
    pub(super) hosts: &'a [Found],
    /// Which of them is the control plane, and how that was found.
    pub(super) control_plane: (usize, Why),
    pub(super) pods: Option<IpNet>,
    pub(super) services: Option<IpNet>,
}

/// Why a host is the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its groups say so, or the person who asked.
    Said,
    /// Some host must be.
    First,
}

impl Page {
    /// Writes hosts as an inventory; what all of them have alike is under `[ssh]` where `together`.
    pub(super) fn write(contents: Contents<'_>, together: bool) -> Self {
        let mut page = Self { text: String::new(), pieces: Vec::new() };
        page.head(contents);
        let alike = Alike::of(contents.hosts, together);
        page.ssh(&alike);
        for index in 0..contents.hosts.len() {
            page.host(contents, index, &alike);
        }
        page
    }

    /// What the byte says, where it is of a host.
    pub(super) fn piece_at(&self, byte: usize) -> Option<&Piece> {
        self.pieces.iter().find(|(range, _)| range.contains(&byte)).map(|(_, piece)| piece)
    }

    fn head(&mut self, contents: Contents<'_>) {
        self.line(&format!(
            "# Made by `kfleet import` from {}. `kfleet hosts` shows what it expands to;",
            contents.origin
        ));
        self.line("# kfleet's inventory/example.toml has every key with its default.");
        self.line("");
        self.line("[cluster]");
        self.line("# Names the kubeconfig context and the state directory: choose a name of your own.");
        self.line("name = \"imported\"");
        let control_plane = contents.hosts.get(contents.control_plane.0).filter(|host| host.address.is_none());
        if let Some(node_ip) = control_plane.and_then(|host| host.node_ip.as_ref()) {
            self.line("# The control plane is dialled by its name; this is where the others find it.");
            self.line(&format!("advertise_address = {}", quoted(&node_ip.text)));
        }
        for (key, whose, network) in
            [("pod_cidr", "Pods", contents.pods), ("service_cidr", "Services", contents.services)]
        {
            if let Some(network) = network {
                self.line(&format!(
                    "# {whose} get their addresses here; the default is too small, or hosts are in it."
                ));
                self.line(&format!("{key} = \"{network}\""));
            }
        }
    }

    fn ssh(&mut self, alike: &Alike<'_>) {
        if alike.user.is_none() && alike.port.is_none() && alike.identities.is_empty() {
            return;
        }
        self.line("");
        self.line("[ssh]");
        if let Some(user) = alike.user {
            self.line(&format!("user = {}", quoted(&user.text)));
        }
        if let Some(port) = alike.port {
            self.line(&format!("port = {}", number(&port.text)));
        }
        if !alike.identities.is_empty() {
            let identities: Vec<_> = alike.identities.iter().map(|identity| quoted(&identity.text)).collect();
            self.line(&format!("identities = [{}]", identities.join(", ")));
        }
    }

    fn host(&mut self, contents: Contents<'_>, index: usize, alike: &Alike<'_>) {
        let Some(host) = contents.hosts.get(index) else { return };
        self.line("");
        self.line("[[hosts]]");
        self.comment(host.caution.as_deref());
        self.comment(host.through.as_deref());
        let piece = |what| Piece { host: index, what };
        self.key("name", quoted(&host.name.text), piece(What::Host));
        if let Some(address) = host.address.as_ref().filter(|address| address.text != host.name.text) {
            self.key("address", quoted(&address.text), piece(What::Host));
        }
        let (control_plane, why) = contents.control_plane;
        if control_plane == index {
            if why == Why::First {
                self.line(&format!(
                    "# {} does not say which host is the control plane, and one must be:",
                    contents.origin
                ));
                self.line("# this is the first. `kfleet import --control-plane NAME` takes another.");
            }
            self.line("role = \"control-plane\"");
        }
        if let Some(node_ip) = &host.node_ip {
            self.key("node_ip", quoted(&node_ip.text), piece(What::NodeIp));
        }
        let groups = host.groups.iter().enumerate().map(|(nth, group)| (&group.text, piece(What::Group(nth))));
        self.list("groups", groups.collect());
        if let Some(user) = host.user.as_ref().filter(|_| alike.user.is_none()) {
            self.key("ssh.user", quoted(&user.text), piece(What::Host));
        }
        if let Some(port) = host.port.as_ref().filter(|_| alike.port.is_none()) {
            self.key("ssh.port", number(&port.text), piece(What::Host));
        }
        if let Some(config) = &host.config {
            self.key("ssh.config", quoted(&config.text), piece(What::Host));
        }
        if alike.identities.is_empty() {
            let identities = host.identities.iter().enumerate();
            let identities = identities.map(|(nth, given)| (&given.text, piece(What::Identity(nth))));
            self.list("ssh.identities", identities.collect());
        }
        for (name, value) in &host.variables {
            let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
            let key = format!("variables.{}", if bare { name.clone() } else { quoted(name) });
            self.key(&key, quoted(&value.text), piece(What::Variable(name.clone())));
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn comment(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.line(&format!("# {}", printable(text)));
        }
    }

    fn key(&mut self, key: &str, value: String, piece: Piece) {
        let start = self.text.len();
        self.line(&format!("{key} = {value}"));
        self.pieces.push((start..self.text.len(), piece));
    }

    fn list(&mut self, key: &str, items: Vec<(&String, Piece)>) {
        if items.is_empty() {
            return;
        }
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{key} = [");
        for (nth, (item, piece)) in items.into_iter().enumerate() {
            self.text.push_str(if nth == 0 { "" } else { ", " });
            let start = self.text.len();
            self.text.push_str(&quoted(item));
            self.pieces.push((start..self.text.len(), piece));
        }
        self.text.push_str("]\n");
    }
}

/// What every host has, and has alike.
#[derive(Default)]
struct Alike<'a> {
    user: Option<&'a Given>,
    port: Option<&'a Given>,
    identities: &'a [Given],
}

impl<'a> Alike<'a> {
    fn of(hosts: &'a [Found], together: bool) -> Self {
        let Some((first, others)) = hosts.split_first().filter(|_| together) else { return Self::default() };
        let text = |given: &Option<Given>| given.as_ref().map(|given| given.text.clone());
        let texts = |given: &[Given]| given.iter().map(|given| given.text.clone()).collect::<Vec<_>>();
        let all = |same: &dyn Fn(&Found) -> bool| others.iter().all(same);
        Self {
            user: first.user.as_ref().filter(|_| all(&|host| text(&host.user) == text(&first.user))),
            port: first.port.as_ref().filter(|_| all(&|host| text(&host.port) == text(&first.port))),
            identities: match all(&|host| texts(&host.identities) == texts(&first.identities)) {
                true => &first.identities,
                false => &[],
            },
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A number as TOML has it; what is none is quoted, for the inventory to refuse.
fn number(text: &str) -> String {
    text.parse::<u32>().map_or_else(|_| quoted(text), |number| number.to_string())
}
