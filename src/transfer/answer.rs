use std::collections::BTreeMap;

use super::entry::Stamp;

/// What a host has at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub kind: FoundKind,
    /// Permission bits.
    pub mode: u32,
    pub size: u64,
    pub modified: Stamp,
    pub owner: Owner,
    /// Of a regular file that could be read.
    pub sha256: Option<[u8; 32]>,
    /// Of a link, where that was asked for.
    pub target: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundKind {
    File,
    Directory,
    Link,
    /// What it is, in a word.
    Special(&'static str),
}

/// Whose a file is, by number and, where there is one, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Owner {
    pub uid: String,
    pub gid: String,
    pub user: Vec<u8>,
    pub group: Vec<u8>,
}

impl Owner {
    /// Whether it is the one that `USER`, `USER:GROUP` or `:GROUP` names, by names or by numbers.
    pub fn is(&self, wanted: &str) -> bool {
        let (user, group) = wanted.split_once(':').unwrap_or((wanted, ""));
        let user_is = user.is_empty() || user == self.uid || user.as_bytes() == self.user;
        user_is && (group.is_empty() || group == self.gid || group.as_bytes() == self.group)
    }
}

/// What a host said, all of it read: which of a script's words came, and what is at each path.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Single words with what they say.
    pub said: BTreeMap<String, Vec<u8>>,
    /// By path as it was asked for, as `./a/b`; the root is `.`.
    pub found: BTreeMap<Vec<u8>, Found>,
    /// Paths in the order in which they were told.
    pub order: Vec<Vec<u8>>,
}

/// What `stat -c` is asked for, after the mark and `stat `. The name comes last, because it may hold anything.
pub(super) const STAT: &str = "%f %s %u %g %Y %y|%U|%G|%n";

impl Answer {
    /// Reads what a script wrote: `MARK word rest`, over and over. The mark is random, so no name can forge one; a name may hold
    /// anything else. What a host made up reads as what it is: paths to be checked by whoever uses them.
    pub fn parse(stdout: &[u8], mark: &str) -> Self {
        let mut answer = Self::default();
        let mut unsummed: Vec<Vec<u8>> = Vec::new();
        let mut pieces = split(stdout, mark.as_bytes()).into_iter();
        // Before the first mark is what start-up files of a shell wrote.
        pieces.next();
        for piece in pieces {
            let piece = piece.strip_prefix(b" ").unwrap_or(piece);
            let space = piece.iter().position(|byte| *byte == b' ').unwrap_or(piece.len());
            let (word, rest) = (&piece[..space], piece.get(space + 1..).unwrap_or_default());
            match word {
                b"stat" => {
                    if let Some((path, found)) = stat(rest) {
                        if found.kind == FoundKind::File {
                            unsummed.push(path.clone());
                        }
                        answer.order.push(path.clone());
                        answer.found.insert(path, found);
                    }
                }
                b"sums" => {
                    for (path, sha256) in sums(rest, unsummed.drain(..)) {
                        if let Some(found) = answer.found.get_mut(&path) {
                            found.sha256 = Some(sha256);
                        }
                    }
                }
                b"link" => {
                    if let Some((path, target)) = link(rest)
                        && let Some(found) = answer.found.get_mut(path)
                    {
                        found.target = Some(target.to_vec());
                    }
                }
                word => {
                    answer.said.insert(String::from_utf8_lossy(word).into_owned(), rest.to_vec());
                }
            }
        }
        answer
    }

    /// A word's rest, made readable.
    pub fn text(&self, word: &str) -> Option<String> {
        self.said.get(word).map(|bytes| crate::base::printable(&String::from_utf8_lossy(bytes)))
    }
}

fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == mark[0]).map(|offset| at + offset) {
        if bytes[found..].starts_with(mark) {
            pieces.push(&bytes[start..found]);
            start = found + mark.len();
            at = start;
        } else {
            at = found + 1;
        }
    }
    pieces.push(&bytes[start..]);
    pieces
}

/// A line of `stat -c` by [`STAT`].
fn stat(line: &[u8]) -> Option<(Vec<u8>, Found)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut parts = line.splitn(4, |byte| *byte == b'|');
    let numbers = std::str::from_utf8(parts.next()?).ok()?;
    let (user, group, path) = (parts.next()?, parts.next()?, parts.next()?);
    let mut words = numbers.split(' ');
    let raw = u32::from_str_radix(words.next()?, 16).ok()?;
    let size = words.next()?.parse().ok()?;
    let (uid, gid) = (words.next()?.to_owned(), words.next()?.to_owned());
    let seconds = words.next()?.parse().ok()?;
    // `2026-11-26 22:11:27.769445536 +0000`; the fraction is missing where the tools know none.
    let nanos = words.nth(1).and_then(|time| time.split_once('.')?.1.parse().ok()).unwrap_or(0);
    let kind = match raw & 0o170_000 {
        0o100_000 => FoundKind::File,
        0o040_000 => FoundKind::Directory,
        0o120_000 => FoundKind::Link,
        0o010_000 => FoundKind::Special("pipe"),
        0o140_000 => FoundKind::Special("socket"),
        0o060_000 => FoundKind::Special("block device"),
        _ => FoundKind::Special("device"),
    };
    let owner = Owner { uid, gid, user: user.to_vec(), group: group.to_vec() };
    let modified = Stamp { seconds, nanos };
    Some((path.to_vec(), Found { kind, mode: raw & 0o7777, size, modified, owner, sha256: None, target: None }))
}

/// The lines of sha256sum for `paths`, in their order; one that it could not read has none. GNU's escapes some names.
fn sums(mut lines: &[u8], paths: impl Iterator<Item = Vec<u8>>) -> Vec<(Vec<u8>, [u8; 32])> {
    let mut sums = Vec::new();
    for path in paths {
        if let Some((sha256, rest)) = sum(lines, &path) {
            sums.push((path, sha256));
            lines = rest;
        }
    }
    sums
}

fn sum<'a>(lines: &'a [u8], path: &[u8]) -> Option<([u8; 32], &'a [u8])> {
    let lines = lines.strip_prefix(b"\\").unwrap_or(lines);
    let (digits, rest) = lines.split_at_checked(64)?;
    let rest = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    let escaped = |returns: bool| {
        let mut name = Vec::with_capacity(path.len() + 8);
        for &byte in path {
            match byte {
                b'\\' => name.extend(b"\\\\"),
                b'\n' => name.extend(b"\\n"),
                b'\r' if returns => name.extend(b"\\r"),
                byte => name.push(byte),
            }
        }
        name
    };
    let named = [path.to_vec(), escaped(false), escaped(true)];
    let rest = named.iter().find_map(|name| rest.strip_prefix(name.as_slice())?.strip_prefix(b"\n"))?;
    Some((hexadecimal(digits)?, rest))
}

pub(super) fn hexadecimal(digits: &[u8]) -> Option<[u8; 32]> {
    let digits = std::str::from_utf8(digits).ok()?;
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// `PATH NUL TARGET\n`.
fn link(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let target = &rest[end + 1..];
    Some((&rest[..end], target.strip_suffix(b"\n").unwrap_or(target)))
}
