use super::found::{Found, Given, Notes};
use super::source::{Source, split_port};
use crate::nodes::NodeSet;

/// Of one set; an inventory holds no more.
const MOST: usize = 10_000;

/// The hosts of a pssh hosts file; one that is named twice is one host here.
pub(super) fn read(source: Source<'_>, notes: &mut Notes) -> Vec<Found> {
    let mut hosts: Vec<Found> = Vec::new();
    for (at, line) in source.lines() {
        // A comment begins at any `#`, as pssh has it.
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(first) = words.next() else { continue };
        let (mut user, host) = match first.split_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, first),
        };
        if let Some(second) = words.next() {
            if user.is_some() {
                notes.say(&at, format!("two users for one host: `{second}` counts, as for pssh"));
            }
            user = Some(second);
        }
        if words.next().is_some() {
            notes.say(&at, "left out: pssh takes a host and a user, no third word");
            continue;
        }
        let (set, port) = split_port(host);
        // As `kfleet run -h` takes them; what is no set is judged as a name.
        let names = NodeSet::parse(set).ok().and_then(|set| set.expand(MOST)).unwrap_or_else(|| vec![set.to_owned()]);
        for name in names {
            let same =
                |other: &Found| other.name.text == name && other.port.as_ref().map(|port| port.text.as_str()) == port;
            if let Some(before) = hosts.iter().find(|host| same(host)) {
                let line = before.name.at.line;
                let again = match port {
                    Some(port) => format!("{name}:{port}"),
                    None => name,
                };
                notes.say(&at, format!("left out: `{again}` is in line {line} already; pssh runs twice there"));
                continue;
            }
            let mut found = Found::new(Given::new(name, &at));
            found.user = user.map(|user| Given::new(user, &at));
            found.port = port.map(|port| Given::new(port, &at));
            hosts.push(found);
        }
    }
    hosts
}
