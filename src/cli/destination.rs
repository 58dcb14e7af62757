//! Hosts as pssh's users write them: `-H "root@node[1-3]:2222 db1"` and the lines of a hosts file.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::ops::Range;

use crate::nodes::{Expression, NodeSetError};

/// One host that no inventory knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    /// What it is called in all that is shown: its address, or all that was said of it where that tells it from another.
    pub(super) name: String,
    /// A name or an IP address.
    pub(super) address: String,
    /// Who logs in, where that is said.
    pub(super) user: Option<String>,
    /// TCP port, where that is said.
    pub(super) port: Option<u16>,
}

/// The hosts of a text of words, each `[user@]SET[:port]`, as often as they are written.
pub(super) fn words(text: &str) -> Result<Vec<Destination>, NodeSetError> {
    let mut found = Vec::new();
    for word in split(text, text_of(text), char::is_whitespace) {
        found.append(&mut sets(text, word)?);
    }
    Ok(found)
}

/// The hosts of a file with a line a host, `[user@]host[:port]` or `host[:port] user`, and comments after `#`.
///
/// # Errors
/// The first line that is neither, by its number.
pub(super) fn lines(text: &str) -> Result<Vec<Destination>, String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |reason: &str| format!("{number}: {reason}");
        let line = line.split('#').next().unwrap_or_default();
        let words = split(line, text_of(line), char::is_whitespace);
        let (host, user) = match words.as_slice() {
            [] => continue,
            [host] => (host, None),
            [host, user] => (host, Some(&line[user.clone()])),
            _ => return Err(wrong("a line is `[user@]host[:port]` or `host[:port] user`")),
        };
        let hosts = sets(line, host.clone()).map_err(|error| wrong(&error.message))?;
        for host in hosts {
            if user.is_some() && host.user.is_some() {
                return Err(wrong("the user is said twice"));
            }
            found.push(Destination { user: user.map(str::to_owned).or(host.user), ..host });
        }
    }
    Ok(found)
}

/// Each host once, and each under a name of its own.
pub(super) fn distinct(all: Vec<Destination>) -> Vec<Destination> {
    let mut seen = BTreeSet::new();
    let once = all.into_iter().filter(|host| seen.insert((host.address.clone(), host.user.clone(), host.port)));
    let mut once: Vec<Destination> = once.collect();
    let mut of_address: BTreeMap<String, usize> = BTreeMap::new();
    for host in &once {
        *of_address.entry(host.address.clone()).or_default() += 1;
    }
    for host in &mut once {
        if of_address.get(&host.address).is_some_and(|count| *count > 1) {
            host.name = host.in_full();
        }
    }
    once
}

impl Destination {
    fn in_full(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        match self.port {
            Some(port) if self.address.contains(':') => format!("{user}[{}]:{port}", self.address),
            Some(port) => format!("{user}{}:{port}", self.address),
            None => format!("{user}{}", self.address),
        }
    }
}

/// A word may be a list of hosts; one with other operators is one set, whose user and port are those of all.
fn sets(text: &str, word: Range<usize>) -> Result<Vec<Destination>, NodeSetError> {
    if split(text, word.clone(), |c| "!&^".contains(c)).len() > 1 {
        return set(text, word);
    }
    let mut found = Vec::new();
    for part in pieces(text, word, |c| c == ',') {
        found.append(&mut set(text, part)?);
    }
    Ok(found)
}

/// `[user@]SET[:port]`
fn set(text: &str, at: Range<usize>) -> Result<Vec<Destination>, NodeSetError> {
    let (user, rest) = user(text, at)?;
    let (hosts, port) = port(text, rest)?;
    let addresses = match literal(&text[hosts.clone()]) {
        Some(address) => vec![address],
        None => names(text, hosts)?,
    };
    let host = |address: String| Destination { name: address.clone(), address, user: user.clone(), port };
    Ok(addresses.into_iter().map(host).collect())
}

/// The user before the last `@` that is not a group's.
fn user(text: &str, at: Range<usize>) -> Result<(Option<String>, Range<usize>), NodeSetError> {
    let inner = &text[at.clone()];
    let of_user = |place: &usize| inner[..*place].chars().next_back().is_some_and(|c| !",!&^".contains(c));
    let Some(place) = inner.match_indices('@').map(|(place, _)| place).rfind(of_user) else {
        return Ok((None, at));
    };
    let (user, end) = (&inner[..place], at.start + place);
    if user.contains(|c: char| c.is_control() || ",!&^[]*?".contains(c)) {
        return Err(wrong("this is not a user's name", at.start..end));
    }
    Ok((Some(user.to_owned()), end + 1..at.end))
}

/// The port behind the last `:`, which an IPv6 address has only behind its brackets.
fn port(text: &str, at: Range<usize>) -> Result<(Range<usize>, Option<u16>), NodeSetError> {
    let inner = &text[at.clone()];
    let colon = match inner.rfind(':') {
        Some(colon) if inner[..colon].contains(':') && !inner[..colon].ends_with(']') => None,
        // `[::1]` itself.
        Some(colon) if inner[colon..].contains(']') => None,
        colon => colon,
    };
    let Some(colon) = colon else { return Ok((at, None)) };
    let digits = at.start + colon + 1..at.end;
    match text[digits.clone()].parse::<u16>() {
        Ok(port) if port > 0 => Ok((at.start..at.start + colon, Some(port))),
        _ => Err(wrong("this is not a port", at.start + colon..at.end)),
    }
}

/// An IPv6 address, in brackets or not, that may name an interface: `fe80::1%eth0`.
fn literal(text: &str) -> Option<String> {
    let address = text.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')).unwrap_or(text);
    let (ip, zone) = address.split_once('%').map_or((address, None), |(ip, zone)| (ip, Some(zone)));
    let zone_is_one = zone
        .is_none_or(|zone| !zone.is_empty() && zone.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)));
    (zone_is_one && ip.parse::<Ipv6Addr>().is_ok()).then(|| address.to_owned())
}

fn names(text: &str, at: Range<usize>) -> Result<Vec<String>, NodeSetError> {
    let inner = &text[at.clone()];
    if inner.is_empty() {
        return Err(wrong("a name is missing here", at.start.saturating_sub(1)..at.end));
    }
    let evaluated = Expression::parse(inner).and_then(|set| set.evaluate(None));
    let names = evaluated.map_err(|error| wrong(error.message, at.start + error.at.start..at.start + error.at.end))?;
    let names = names.list();
    let is_one =
        |name: &String| !name.starts_with('-') && name.chars().all(|c| c.is_alphanumeric() || ".-_".contains(c));
    match names.iter().find(|name| !is_one(name)) {
        Some(name) => Err(wrong(format!("`{name}` is no host's name"), at)),
        None => Ok(names),
    }
}

fn text_of(text: &str) -> Range<usize> {
    0..text.len()
}

/// What separators outside of brackets part, without what is empty.
fn split(text: &str, at: Range<usize>, is_separator: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    pieces(text, at, is_separator).into_iter().filter(|piece| !piece.is_empty()).collect()
}

fn pieces(text: &str, at: Range<usize>, is_separator: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut depth = 0_u32;
    let mut start = at.start;
    let mut found = Vec::new();
    for (place, c) in text[at.clone()].char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            c if depth == 0 && is_separator(c) => {
                found.push(start..at.start + place);
                start = at.start + place + c.len_utf8();
            }
            _ => {}
        }
    }
    found.push(start..at.end);
    found
}

fn wrong(message: impl Into<String>, at: Range<usize>) -> NodeSetError {
    NodeSetError { message: message.into(), at }
}

#[cfg(test)]
mod tests {
    use super::{distinct, lines, words};

    fn shown(found: &[super::Destination]) -> String {
        found.iter().map(|host| host.in_full()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_are_hosts() {
        for (text, expected) in [
            ("h1 h2", "h1 h2"),
            ("root@node[1-3]:2222  db1", "root@node1:2222 root@node2:2222 root@node3:2222 db1"),
            ("root@a,b:22", "root@a b:22"),
            ("root@n[1-3]!n2:22", "root@n1:22 root@n3:22"),
            ("n[1, 3]", "n1 n3"),
            ("[::1]:2222 [fe80::1%eth0] ::1 me@fd00::2", "[::1]:2222 fe80::1%eth0 ::1 me@fd00::2"),
            ("10.0.0.[9-10]", "10.0.0.9 10.0.0.10"),
            ("me@example.org@h", "me@example.org@h"),
            (" ", ""),
        ] {
            assert_eq!(shown(&words(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_pointed_at() {
        for (text, message, at) in [
            ("a h:0", "this is not a port", ":0"),
            ("h:ssh", "this is not a port", ":ssh"),
            ("a n[1-", "a `[` without its `]`", "["),
            ("a,,b", "a name is missing here", ","),
            ("@web", "a group is looked up in an inventory, and there is none", "@web"),
            ("web*", "a wildcard is looked up in an inventory, and there is none", "web*"),
            ("-oProxyCommand=x", "`-oProxyCommand=x` is no host's name", "-oProxyCommand=x"),
            ("x/y", "`x/y` is no host's name", "x/y"),
            ("a*@h", "this is not a user's name", "a*"),
            ("root@", "a name is missing here", "@"),
        ] {
            let error = words(text).unwrap_err();
            assert_eq!((error.message.as_str(), &text[error.at]), (message, at), "{text}");
        }
    }

    #[test]
    fn a_hosts_file_is_psshs() {
        let text = "# lab\n\nh1\nroot@h2:2222 # the second\nh3:23\tadmin\n  [::1]:22 me\n";
        assert_eq!(shown(&lines(text).unwrap()), "h1 root@h2:2222 admin@h3:23 me@[::1]:22");
        for (text, said) in [
            ("h1\nh2 a b\n", "2: a line is `[user@]host[:port]` or `host[:port] user`"),
            ("a@h b", "1: the user is said twice"),
            ("h1:99999", "1: this is not a port"),
        ] {
            assert_eq!(lines(text).unwrap_err(), said);
        }
    }

    #[test]
    fn a_host_is_one_host_and_has_one_name() {
        let found = distinct(words("a b a root@b b:22 c").unwrap());
        let names: Vec<_> = found.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "root@b", "b:22", "c"]);
    }
}
