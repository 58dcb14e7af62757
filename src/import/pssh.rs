use super::found::{Found, Given, Notes};
use super::source::{Source, split_port};

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
        let (name, port) = split_port(host);
        let port = port.map(|port| Given::new(port, &at));
        let same = |other: &Found| {
            other.name.text == name
                && other.port.as_ref().map(|port| &port.text) == port.as_ref().map(|port| &port.text)
        };
        if let Some(before) = hosts.iter().find(|host| same(host)) {
            notes.say(
                &at,
                format!("left out: `{host}` is in line {} already; pssh runs twice there", before.name.at.line),
            );
            continue;
        }
        let mut found = Found::new(Given::new(name, &at));
        found.user = user.map(|user| Given::new(user, &at));
        found.port = port;
        hosts.push(found);
    }
    hosts
}
