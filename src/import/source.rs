use std::path::Path;
use std::sync::Arc;

use super::found::Place;

/// A file that hosts are taken from, already read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// As it was named; also where files that it names are looked for.
    pub file: &'a Path,
    /// What it says.
    pub text: &'a str,
}

impl<'a> Source<'a> {
    /// Its lines with their places.
    pub(super) fn lines(self) -> impl Iterator<Item = (Place, &'a str)> {
        let file: Arc<str> = self.file.to_string_lossy().into();
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        text.lines().enumerate().map(move |(index, line)| (Place { file: Arc::clone(&file), line: index + 1 }, line))
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`; an IPv6 address without brackets has no port.
pub(super) fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some((inside, behind)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && inside.contains(':')
        && (behind.is_empty() || behind.starts_with(':'))
    {
        return (inside, behind.strip_prefix(':'));
    }
    let bracket = text.rfind(']').map_or(0, |at| at + 1);
    match text[bracket..].split_once(':') {
        Some((before, port)) if !port.contains(':') => (&text[..bracket + before.len()], Some(port)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::split_port;

    #[test]
    fn a_port_is_told_from_an_address() {
        for (text, host, port) in [
            ("node1", "node1", None),
            ("node1:2222", "node1", Some("2222")),
            ("fd00::1", "fd00::1", None),
            ("[fd00::1]", "fd00::1", None),
            ("[fd00::1]:22", "fd00::1", Some("22")),
            ("node[01:20]", "node[01:20]", None),
            ("node[01:20].lan:2222", "node[01:20].lan", Some("2222")),
            ("[a:c]:2222", "a:c", Some("2222")),
        ] {
            assert_eq!(split_port(text), (host, port), "{text}");
        }
    }
}
