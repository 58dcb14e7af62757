use std::fs;
use std::net::IpAddr;
use std::path::Path;

use super::found::{Found, Given, Notes, Place};
use super::host_patterns::{files, matches};
use super::import_error::ImportError;
use super::source::Source;
use crate::inventory::Workstation;

/// The hosts that an ssh_config and what it includes name without wildcards, each with what holds for it.
///
/// # Errors
/// When it names no host and cannot be understood, or files include each other.
pub(super) fn read(
    source: Source<'_>,
    workstation: &Workstation,
    notes: &mut Notes,
) -> Result<Vec<Found>, ImportError> {
    let home = workstation.home.as_deref();
    let file = match source.file {
        file if home.is_some_and(|home| file == home.join(".ssh/config")) => Origin::Usual,
        file if file == Path::new("-") => Origin::Stdin,
        file => Origin::File(file.to_string_lossy().into_owned()),
    };
    let mut config = Config { home, file, names: Vec::new(), settings: Vec::new() };
    config.read(source, &[], 0, notes)?;
    Ok(config.names.iter().filter_map(|name| config.host(name, notes)).collect())
}

struct Config<'a> {
    home: Option<&'a Path>,
    file: Origin,
    names: Vec<Given>,
    settings: Vec<Setting>,
}

/// Where it stands, for kfleet to read it again.
enum Origin {
    /// Where it is read anyway.
    Usual,
    /// Where an inventory has to point to.
    File(String),
    /// Nowhere.
    Stdin,
}

struct Setting {
    /// `Host` lines that must all match.
    when: Vec<Vec<String>>,
    /// In lower case.
    keyword: String,
    value: Given,
}

/// What kfleet takes from ssh_config, and an inventory that is made here does not say.
const LEFT_TO_IT: [&str; 15] = [
    "ProxyJump",
    "ProxyCommand",
    "HostKeyAlias",
    "UserKnownHostsFile",
    "GlobalKnownHostsFile",
    "StrictHostKeyChecking",
    "RevokedHostKeys",
    "CertificateFile",
    "IdentitiesOnly",
    "IdentityAgent",
    "AddressFamily",
    "BindAddress",
    "ConnectTimeout",
    "ServerAliveInterval",
    "ServerAliveCountMax",
];

/// As OpenSSH has it.
const DEEPEST_INCLUDE: usize = 16;

impl Config<'_> {
    fn read(
        &mut self,
        source: Source<'_>,
        outer: &[Vec<String>],
        depth: usize,
        notes: &mut Notes,
    ) -> Result<(), ImportError> {
        let mut own: Option<Vec<String>> = None;
        for (at, line) in source.lines() {
            let Some((keyword, rest)) = keyword(line) else { continue };
            let refuse = |message: String| ImportError::Syntax { at: at.clone(), message };
            let words = shlex::split(rest).ok_or_else(|| refuse("a quote that is not closed".to_owned()))?;
            match keyword.as_str() {
                "host" => {
                    let named = words.iter().filter(|word| !word.contains(['*', '?']) && !word.starts_with('!'));
                    for name in named {
                        if !self.names.iter().any(|before| before.text == *name) {
                            self.names.push(Given::new(name, &at));
                        }
                    }
                    own = Some(words);
                }
                "match" if words.len() == 1 && words.iter().all(|word| word.eq_ignore_ascii_case("all")) => {
                    own = Some(vec!["*".to_owned()]);
                }
                "match" => {
                    notes.say(&at, "what stands under `Match` is left out: it holds for no host by its name alone");
                    own = Some(Vec::new());
                }
                "include" => {
                    if depth == DEEPEST_INCLUDE {
                        return Err(refuse("files include each other more than 16 deep".to_owned()));
                    }
                    let when: Vec<_> = outer.iter().chain(&own).cloned().collect();
                    for pattern in &words {
                        self.include(pattern, source.file, &when, depth, &at, notes)?;
                    }
                }
                _ => self.settings.push(Setting {
                    when: outer.iter().chain(&own).cloned().collect(),
                    value: Given::new(if keyword == "proxycommand" { rest.to_owned() } else { words.join(" ") }, &at),
                    keyword,
                }),
            }
        }
        Ok(())
    }

    fn include(
        &mut self,
        pattern: &str,
        from: &Path,
        when: &[Vec<String>],
        depth: usize,
        at: &Place,
        notes: &mut Notes,
    ) -> Result<(), ImportError> {
        let path = match (pattern.strip_prefix("~/"), self.home) {
            (Some(below), Some(home)) => home.join(below),
            // In ~/.ssh, where the file itself is.
            _ => from.parent().unwrap_or(Path::new("")).join(pattern),
        };
        let Some(files) = files(&path) else {
            notes.say(at, format!("`{pattern}` is not included: wildcards are read in a file's name only"));
            return Ok(());
        };
        for file in files {
            match fs::read_to_string(&file) {
                Ok(text) => self.read(Source { file: &file, text: &text }, when, depth + 1, notes)?,
                Err(error) => notes.say(at, format!("`{}` is not included: {error}", file.display())),
            }
        }
        Ok(())
    }

    fn host(&self, name: &Given, notes: &mut Notes) -> Option<Found> {
        // The first value counts, but of keys all do.
        let first = |keyword| self.said(keyword, &name.text).first().copied().cloned();
        let mut host = Found::new(name.clone());
        host.user = first("user");
        if host.user.as_ref().is_some_and(|user| user.text == "git") {
            notes.say(
                &name.at,
                format!("`{}` is left out: who logs in is `git`, so it is no host to run commands on", name.text),
            );
            return None;
        }
        host.port = first("port");
        host.address = first("hostname").map(|address| Given {
            text: address.text.replace("%h", &name.text).replace("%n", &name.text).replace("%%", "%"),
            ..address
        });
        for identity in self.said("identityfile", &name.text).into_iter().filter(|identity| identity.text != "none") {
            let text = identity.text.replace("%d", "~").replace("%n", &name.text);
            if text.contains('%') {
                notes.say(&identity.at, format!("the key `{text}` is left out: what `%` stands for is ssh's to know"));
            } else {
                host.identities.push(Given::new(text, &identity.at));
            }
        }
        self.leave_the_rest(host, notes)
    }

    /// What holds for a host that ssh is called with as `name`, in order.
    fn said(&self, keyword: &str, name: &str) -> Vec<&Given> {
        let holds = |setting: &&Setting| {
            setting.keyword.eq_ignore_ascii_case(keyword) && setting.when.iter().all(|patterns| matches(patterns, name))
        };
        self.settings.iter().filter(holds).map(|setting| &setting.value).collect()
    }

    /// Leaves to ssh_config what the inventory will not say. kfleet asks it by the host's address, which therefore has to be the
    /// name that it holds for; `None` where that cannot be.
    fn leave_the_rest(&self, mut host: Found, notes: &mut Notes) -> Option<Found> {
        let name = host.name.text.clone();
        let address = host.address.as_ref().map_or_else(|| name.clone(), |address| address.text.clone());
        let says = |keyword, name| -> Vec<&str> {
            self.said(keyword, name).into_iter().map(|value| value.text.as_str()).collect()
        };
        let by_address = |keyword| match self.file {
            Origin::Usual => says(keyword, &address),
            Origin::File(_) | Origin::Stdin => Vec::new(),
        };
        let rest = LEFT_TO_IT.iter().filter(|keyword| says(keyword, &name) != by_address(keyword));
        // What it says of the address alone would hold, too, where nothing is said of the name.
        let of_address = ["User", "Port", "IdentityFile"];
        let of_address =
            of_address.iter().filter(|keyword| says(keyword, &name).is_empty() && !by_address(keyword).is_empty());
        let rest: Vec<String> = rest
            .chain(of_address)
            .map(|keyword| match says(keyword, &name).first() {
                Some(value) => format!("{keyword} {value}"),
                None => format!("no {keyword}"),
            })
            .collect();
        if rest.is_empty() {
            host.through = LEFT_TO_IT[..2].iter().find_map(|keyword| {
                let way = *says(keyword, &name).first()?;
                (way != "none").then(|| format!("Reached through {way}: that stays in ssh_config, which kfleet reads."))
            });
            return Some(host);
        }
        let rest = rest.join(", ");
        if matches!(self.file, Origin::Stdin) {
            notes.say(
                &host.name.at,
                format!("`{name}` is left out: ssh_config has {rest} for it, which kfleet reads from files only: name it in place of `-`"),
            );
            return None;
        }
        if name.contains(|c: char| c.is_ascii_uppercase() || c == '_') {
            let spelt = name.to_ascii_lowercase().replace('_', "-");
            notes.say(
                &host.name.at,
                format!(
                    "`{name}` is left out: ssh_config has {rest} for it, and an inventory cannot call it so; \
                     `Host {name} {spelt}` there lets it be `{spelt}`"
                ),
            );
            return None;
        }
        host.through =
            Some(format!("ssh_config has {rest} for this name, and is asked by it: an `address` would pass that by."));
        if let Origin::File(file) = &self.file {
            host.config = Some(Given::new(file, &host.name.at));
        }
        // Other hosts still are to know where it is.
        let is_known = |ip: &IpAddr| !ip.is_loopback() && !ip.is_unspecified();
        host.node_ip = host.address.take().filter(|address| address.text.parse().is_ok_and(|ip| is_known(&ip)));
        Some(host)
    }
}

/// A line's keyword in lower case, and the rest of it.
fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim();
    let end = line.find(|c: char| c.is_whitespace() || c == '=').filter(|_| !line.starts_with('#'))?;
    let rest = line[end..].trim_start();
    Some((line[..end].to_ascii_lowercase(), rest.strip_prefix('=').unwrap_or(rest).trim()))
}
