use std::fs;
use std::io::{self, Write};
use std::net::Ipv6Addr;
use std::path::Path;

use super::glob::Glob;
use crate::base::printable;

/// One host as pssh's users write it. The same one twice is two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// A name, an alias of ssh_config or an address, without brackets.
    pub(super) host: String,
    /// As it is written, which may be no port at all.
    pub(super) port: Option<String>,
    /// Who logs in, where that is said.
    pub(super) user: Option<String>,
    /// For people: the option, or the file with the line.
    pub(super) place: String,
}

impl Entry {
    /// `[user@]host[:port]`; a user or a port of no letters is none, as for pssh.
    fn parse(text: &str, place: &str) -> Self {
        let (user, rest) = text.split_once('@').map_or((None, text), |(user, rest)| (Some(user), rest));
        let (host, port) = match rest.rsplit_once(':') {
            // Two colons without brackets are an IPv6 address, all of it.
            Some(_) if rest.parse::<Ipv6Addr>().is_ok() => (rest, None),
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let said = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self { host: host.to_owned(), port: said(port), user: said(user), place: place.to_owned() }
    }

    /// The host of one line of a file without its comment, or what pssh says of a line that has none.
    fn of_line(line: &str, place: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            [host] => Ok(Self::parse(host, place)),
            [host, second] => match Self::parse(host, place) {
                Self { user: Some(_), .. } => Err(format!("User specified twice in line: \"{line}\"")),
                entry => Ok(Self { user: Some((*second).to_owned()), ..entry }),
            },
            _ => Err(format!("Bad line: \"{line}\". Format should be [user@]host[:port] [user]")),
        }
    }

    /// What pssh calls it in its lines and its files: the user only where another is the default.
    pub(super) fn shown(&self, default_user: Option<&str>) -> String {
        let user = match &self.user {
            Some(user) if Some(user.as_str()) != default_user => format!("{user}@"),
            _ => String::new(),
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = self.port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{user}{host}{port}")
    }
}

/// The hosts of a text of words, as -H has them.
pub(super) fn words(text: &str) -> Vec<Entry> {
    text.split_whitespace().map(|word| Entry::parse(word, "-H")).collect()
}

/// The hosts of a file that `glob` lets through. A line that is wrong is told on stderr and left out, as pssh does it.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn file(path: &Path, glob: Option<&Glob>) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(fs::read_to_string(path)?.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        match Entry::of_line(line, &format!("{}:{number}", path.display())) {
            Ok(entry) if glob.is_none_or(|glob| glob.matches(&entry.host)) => found.push(entry),
            Ok(_) => {}
            Err(reason) => {
                let _ = writeln!(io::stderr(), "{}", printable(&reason));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Entry, words};

    fn told(entry: &Entry) -> String {
        format!("{:?} {:?} {:?}", entry.user.as_deref(), entry.host, entry.port.as_deref())
    }

    #[test]
    fn words_are_hosts() {
        for (text, expected) in [
            ("h", "None \"h\" None"),
            ("root@h:22", "Some(\"root\") \"h\" Some(\"22\")"),
            ("h:x", "None \"h\" Some(\"x\")"),
            ("@h:", "None \"h\" None"),
            ("a@[::1]:", "Some(\"a\") \"::1\" None"),
            ("::1", "None \"::1\" None"),
            ("[::1]", "None \"::1\" None"),
            ("a@[fe80::1]:2", "Some(\"a\") \"fe80::1\" Some(\"2\")"),
        ] {
            assert_eq!(words(text).iter().map(told).collect::<Vec<_>>(), [expected], "{text}");
        }
        assert_eq!(words(" a  b\ta\n").len(), 3);
        assert_eq!(words("").len(), 0);
    }

    #[test]
    fn lines_may_end_with_a_user() {
        assert_eq!(told(&Entry::of_line("h:22 root", "").unwrap()), "Some(\"root\") \"h\" Some(\"22\")");
        assert!(Entry::of_line("a@h root", "").unwrap_err().starts_with("User specified twice"));
        assert!(Entry::of_line("a b c", "").unwrap_err().starts_with("Bad line"));
    }

    #[test]
    fn the_default_user_is_not_shown() {
        let entry = Entry::parse("a@h:22", "");
        assert_eq!(entry.shown(None), "a@h:22");
        assert_eq!(entry.shown(Some("a")), "h:22");
        assert_eq!(entry.shown(Some("b")), "a@h:22");
        assert_eq!(Entry::parse("[::1]:22", "").shown(None), "[::1]:22");
    }
}
