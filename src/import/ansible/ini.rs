use super::super::found::{Found, Notes, Place};
use super::super::import_error::ImportError;
use super::super::source::{Source, split_port};
use super::groups::Groups;
use super::host_range;
use super::variables::{Setting, Variables};

/// The hosts of an inventory in INI.
///
/// # Errors
/// Where Ansible would refuse it, too.
pub(in super::super) fn read(source: Source<'_>, notes: &mut Notes) -> Result<Vec<Found>, ImportError> {
    let mut groups = Groups::default();
    let mut section = Section { group: "ungrouped".to_owned(), kind: Holds::Hosts };
    for (at, line) in source.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let refuse = |message: String| ImportError::Syntax { at: at.clone(), message };
        if let Some(header) = header(line) {
            section = Section::read(header).map_err(refuse)?;
            if !matches!(section.kind, Holds::Variables) {
                groups.declare(&section.group, &at);
            }
            continue;
        }
        match section.kind {
            Holds::Hosts => {
                let (hosts, said) = host_line(line, &at).map_err(refuse)?;
                for host in hosts {
                    groups.add_host(&section.group, &host, &at, said.clone());
                }
            }
            Holds::Children => {
                groups.add_child(&section.group, line.split(" #").next().unwrap_or_default().trim(), &at)
            }
            Holds::Variables => {
                let (name, value) =
                    line.split_once('=').ok_or_else(|| refuse("`name = value` is expected".to_owned()))?;
                let setting = Setting::literal(without_comment(value.trim()), &at);
                groups.add_variables(&section.group, Variables::from([(name.trim().to_owned(), setting)]), &at);
            }
        }
    }
    groups.into_hosts(notes)
}

struct Section {
    group: String,
    kind: Holds,
}

enum Holds {
    Hosts,
    Children,
    Variables,
}

impl Section {
    fn read(header: &str) -> Result<Self, String> {
        let (group, kind) = match header.split_once(':') {
            None => (header, Holds::Hosts),
            Some((group, "children")) => (group, Holds::Children),
            Some((group, "vars")) => (group, Holds::Variables),
            Some((_, kind)) => return Err(format!("a section is of hosts, `children` or `vars`, not of `{kind}`")),
        };
        Ok(Self { group: group.trim().to_owned(), kind })
    }
}

/// What is between the brackets of a line that is a section's, with or without a comment behind it.
fn header(line: &str) -> Option<&str> {
    let (header, behind) = line.strip_prefix('[')?.split_once(']')?;
    // `[a:c].lan` is hosts.
    (behind.trim().is_empty() || behind.trim_start().starts_with(['#', ';'])).then_some(header.trim())
}

fn host_line(line: &str, at: &Place) -> Result<(Vec<String>, Variables), String> {
    let words = shlex::split(line).ok_or_else(|| "a quote that is not closed".to_owned())?;
    let (pattern, settings) = words.split_first().ok_or_else(|| "a host is expected".to_owned())?;
    let (pattern, port) = split_port(pattern);
    let mut said = Variables::new();
    if let Some(port) = port {
        said.insert("ansible_port".to_owned(), Setting::literal(port, at));
    }
    for word in settings {
        let (name, value) =
            word.split_once('=').ok_or_else(|| format!("behind a host stands `name=value`, not `{word}`"))?;
        said.insert(name.to_owned(), Setting::literal(value, at));
    }
    Ok((host_range::expand(pattern)?, said))
}

/// Ansible reads a value as Python does where it can, so a comment may follow a number or a quoted text, and is a part
/// of every other.
fn without_comment(value: &str) -> &str {
    let Some((before, _)) = value.split_once('#') else { return value };
    let before = before.trim_end();
    let quoted = |quote: char| {
        before.len() > 1 && before.starts_with(quote) && before.ends_with(quote) && before.matches(quote).count() == 2
    };
    if before.parse::<f64>().is_ok() || quoted('\'') || quoted('"') { before } else { value }
}
