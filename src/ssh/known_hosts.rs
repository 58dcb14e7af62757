use std::io;
use std::path::{Path, PathBuf};

use ring::hmac;
use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::{HostPatterns, Marker};

use crate::host::HostError;

/// The files of known host keys, read but not yet understood: a fleet's files are long and one host's lines are few.
#[derive(Debug)]
pub struct KnownHosts {
    files: Vec<(PathBuf, String)>,
}

/// One line that holds for a host.
#[derive(Debug)]
pub struct KnownKey {
    /// `@revoked` or `@cert-authority`.
    pub marker: Option<Marker>,
    /// The key.
    pub key: PublicKey,
    /// The file it stands in.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
}

impl KnownHosts {
    /// Reads `files`; those that do not exist count as empty.
    ///
    /// # Errors
    /// Where a file is there and cannot be read: it may hold the line that revokes a key.
    pub fn read(files: &[PathBuf]) -> Result<Self, HostError> {
        let mut read = Vec::with_capacity(files.len());
        for path in files {
            match std::fs::read(path) {
                // A line that is not UTF-8 is then a line that does not parse.
                Ok(bytes) => read.push((path.clone(), String::from_utf8_lossy(&bytes).into_owned())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(HostError::HostKey {
                        reason: format!("cannot read {}: {error}", path.display()),
                        hint: "make the file readable, or name another as `known_hosts` in the inventory".to_owned(),
                    });
                }
            }
        }
        Ok(Self { files: read })
    }

    /// The lines that hold for `host`: a name or address, or `[host]:port`.
    ///
    /// Lines that cannot be understood are passed over, as OpenSSH does.
    pub fn of(&self, host: &str) -> Vec<KnownKey> {
        let host = host.to_lowercase();
        let lines = self.files.iter().flat_map(|(path, text)| {
            text.lines().enumerate().map(move |(index, line)| (path.as_path(), index + 1, line))
        });
        lines.filter_map(|(path, number, line)| known_key(&host, path, number, line)).collect()
    }
}

fn known_key(host: &str, file: &Path, number: usize, line: &str) -> Option<KnownKey> {
    let line = line.trim_start_matches([' ', '\t']);
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split([' ', '\t', '\r']).filter(|word| !word.is_empty());
    let mut hosts = words.next()?;
    let marker = if hosts.starts_with('@') { Some(hosts.parse().ok()?) } else { None };
    if marker.is_some() {
        hosts = words.next()?;
    }
    if !matches(&hosts.parse().ok()?, host) {
        return None;
    }
    let (algorithm, base64) = (words.next()?, words.next()?);
    let key = PublicKey::from_openssh(&format!("{algorithm} {base64}")).ok()?;
    Some(KnownKey { marker, key, file: file.to_owned(), line: number })
}

/// Whether a line's hosts name `host`, which is in lower case.
fn matches(patterns: &HostPatterns, host: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, host.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let mut found = false;
            for pattern in patterns {
                let pattern = pattern.to_lowercase();
                match pattern.strip_prefix('!') {
                    // What is excluded stays so, wherever in the line it stands.
                    Some(pattern) if wildcard(pattern.as_bytes(), host.as_bytes()) => return false,
                    Some(_) => {}
                    None => found |= wildcard(pattern.as_bytes(), host.as_bytes()),
                }
            }
            found
        }
    }
}

/// Whether `text` is what `pattern` describes: `*` is any run of bytes, `?` any single one.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on with one byte more for the last star.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = retry else { return false };
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{matches, wildcard};

    #[test]
    fn hosts_are_named_as_in_openssh() {
        // Made by `ssh-keygen -H`.
        let web1 = "|1|uulb0Ui16d6bcF2+ES0c69FS3QU=|gpDjHUcI7S8R1AnaLS8lbGDENyw=";
        let cases = [
            ("web1", "web1", true),
            ("web1", "web10", false),
            ("WEB1", "web1", true),
            ("a,web1,b", "web1", true),
            ("web?", "web1", true),
            ("*.example.com", "web1.example.com", true),
            ("*.example.com", "example.com", false),
            ("*", "[web1]:2222", true),
            ("web1", "[web1]:2222", false),
            ("[web1]:2222", "[web1]:2222", true),
            ("[web*]:2222", "[web1]:2222", true),
            ("web1,!web1", "web1", false),
            ("!web1,*", "web1", false),
            ("!web1,*", "web2", true),
            ("!web1", "web2", false),
            (web1, "web1", true),
            (web1, "web2", false),
        ];
        for (hosts, host, expected) in cases {
            assert_eq!(matches(&hosts.parse().unwrap(), host), expected, "{hosts} {host}");
        }
    }

    #[test]
    fn stars_go_back_as_far_as_they_must() {
        for (pattern, text, expected) in
            [("*a*b", "xaxbxb", true), ("*a*b", "xaxbx", false), ("**", "", true), ("?", "", false), ("a*", "a", true)]
        {
            assert_eq!(wildcard(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
