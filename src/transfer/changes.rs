use std::collections::BTreeSet;

use super::answer::{Answer, Found, FoundKind};
use super::ask::dotted;
use super::copy::Copying;
use super::entry::{Entry, Kind};
use super::error::TransferError;
use super::parcel::{Parcel, Shape};

/// One thing that is, or would be, different afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Below the directory that all goes to; as raw bytes.
    pub path: Vec<u8>,
    /// How.
    pub how: How,
}

/// What becomes of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was not there.
    New,
    /// It holds something else.
    Contents,
    /// Only its mode, time or owner differs.
    Attributes,
    /// It is not in the source.
    Removed,
}

/// What a host needs, in the order in which it is done.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub operations: Vec<Operation>,
    /// What a person is told of.
    pub told: Vec<Change>,
    pub unchanged: usize,
}

/// What is done; entries are named by their places in the parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    MakeDirectory(usize),
    /// The file is sent, and takes its place. The owner that it gets, where not the one who writes.
    Put(usize, Option<String>),
    Link(usize, Option<String>),
    /// The time is set where it is to be kept.
    SetAttributes(usize, Option<String>),
    Remove(Vec<u8>),
}

impl Changes {
    /// Holds a parcel against what is at its place.
    ///
    /// # Errors
    /// Where something is in the way that is not simply replaced.
    pub fn between(parcel: &Parcel, answer: &Answer, copying: &Copying) -> Result<Self, TransferError> {
        let mut changes = Self::default();
        let is_root = answer.said.get("uid").is_some_and(|uid| uid == b"0");
        let mut touched = BTreeSet::new();
        let mut directories = Vec::new();
        for (index, entry) in parcel.entries.iter().enumerate() {
            let path = landed(parcel, answer, entry);
            let found = answer.found.get(&dotted(&path));
            let owner = copying.owner.clone();
            let is_destination = path.is_empty() && matches!(parcel.shape, Shape::Into(_));
            if entry.kind == Kind::Directory {
                let is_new = found.is_none();
                if let Some(found) = found
                    && found.kind != FoundKind::Directory
                {
                    return Err(in_the_way(&path, found, "a directory"));
                }
                if is_new {
                    touched.insert(parent(&path));
                    touched.insert(path.clone());
                    changes.told.push(Change { path, how: How::New });
                    changes.operations.push(Operation::MakeDirectory(index));
                    directories.push((index, owner));
                } else if !is_destination && found.is_some_and(|found| !same_attributes(entry, found, copying)) {
                    changes.told.push(Change { path, how: How::Attributes });
                    directories.push((index, owner));
                } else {
                    changes.unchanged += 1;
                    // The destination itself stays as it is; a directory of the source gets its time back, once things in it were replaced.
                    if !is_destination {
                        directories.push((index, None));
                    }
                }
                continue;
            }
            if let Some(found) = found
                && found.kind == FoundKind::Directory
            {
                return Err(in_the_way(&path, found, "a file"));
            }
            let how = match found {
                None => How::New,
                Some(found) if !same_contents(entry, found) => How::Contents,
                Some(found) if !same_attributes(entry, found, copying) => How::Attributes,
                Some(_) => {
                    changes.unchanged += 1;
                    continue;
                }
            };
            // Who replaces a file as root takes nobody's file away.
            let kept = found
                .filter(|_| is_root && owner.is_none())
                .map(|found| format!("{}:{}", found.owner.uid, found.owner.gid));
            changes.operations.push(match (how, &entry.kind) {
                (How::Attributes, _) => Operation::SetAttributes(index, owner),
                (_, Kind::Link { .. }) => Operation::Link(index, owner.or(kept)),
                _ => Operation::Put(index, owner.or(kept)),
            });
            if how != How::Attributes {
                touched.insert(parent(&path));
            }
            changes.told.push(Change { path, how });
        }
        if copying.delete {
            changes.remove(parcel, answer, &mut touched)?;
        }
        if !changes.operations.is_empty() {
            // What comes is first put aside there.
            touched.insert(Vec::new());
        }
        // Innermost first, when nothing in them changes any more: a directory may forbid to be written to.
        let told: BTreeSet<&[u8]> = changes.told.iter().map(|change| change.path.as_slice()).collect();
        for (index, owner) in directories.into_iter().rev() {
            let path = &parcel.entries[index].path;
            if touched.contains(path) || told.contains(path.as_slice()) {
                changes.operations.push(Operation::SetAttributes(index, owner));
            }
        }
        Ok(changes)
    }

    /// How much is to be sent, in bytes.
    pub fn size(&self, parcel: &Parcel) -> u64 {
        self.puts().map(|index| parcel.entries[index].size()).sum()
    }

    /// The files that are to be sent.
    pub fn puts(&self) -> impl Iterator<Item = usize> {
        self.operations.iter().filter_map(|operation| match operation {
            Operation::Put(index, _) => Some(*index),
            _ => None,
        })
    }

    fn remove(
        &mut self,
        parcel: &Parcel,
        answer: &Answer,
        touched: &mut BTreeSet<Vec<u8>>,
    ) -> Result<(), TransferError> {
        let Some(listed) = answer.said.get("listed") else { return Ok(()) };
        let base = answer.said.get("base").map(Vec::as_slice).unwrap_or_default();
        let whole_base = !matches!(&parcel.shape, Shape::Into(trees) if !trees.iter().any(Vec::is_empty));
        if whole_base && is_everybodys(base) {
            let reason = format!("--delete does not clear {}", String::from_utf8_lossy(base));
            return Err(TransferError::refused(reason, "copy to a directory of its own"));
        }
        let wanted: BTreeSet<Vec<u8>> = parcel.entries.iter().map(|entry| dotted(&entry.path)).collect();
        let mut gone: BTreeSet<&[u8]> = BTreeSet::new();
        for path in listed.split(|byte| *byte == 0).filter(|path| path.starts_with(b"./")) {
            let is_below_gone = ancestors(path).any(|above| gone.contains(above));
            if wanted.contains(path) || is_below_gone || path.starts_with(b"./.kfleet-copy-") {
                continue;
            }
            gone.insert(path);
            let path = path[2..].to_vec();
            touched.insert(parent(&path));
            self.told.push(Change { path: path.clone(), how: How::Removed });
            self.operations.push(Operation::Remove(path));
        }
        Ok(())
    }
}

/// An entry's path where it goes: a single file may get another name there.
fn landed(parcel: &Parcel, answer: &Answer, entry: &Entry) -> Vec<u8> {
    match (&parcel.shape, answer.said.get("name")) {
        (Shape::File(_), Some(name)) => name.clone(),
        _ => entry.path.clone(),
    }
}

fn same_contents(entry: &Entry, found: &Found) -> bool {
    match (&entry.kind, found.kind) {
        (Kind::File { size, sha256 }, FoundKind::File) => *size == found.size && Some(*sha256) == found.sha256,
        (Kind::Link { target }, FoundKind::Link) => found.target.as_ref() == Some(target),
        _ => false,
    }
}

fn same_attributes(entry: &Entry, found: &Found, copying: &Copying) -> bool {
    let owner = copying.owner.as_deref().is_none_or(|owner| found.owner.is(owner));
    match entry.kind {
        Kind::Link { .. } => owner,
        Kind::Directory => owner && entry.mode == found.mode,
        Kind::File { .. } => {
            let time = entry.modified.is_none_or(|modified| modified.agrees(found.modified));
            owner && time && copying.mode_of(entry) == found.mode
        }
    }
}

fn in_the_way(path: &[u8], found: &Found, wanted: &str) -> TransferError {
    let is = match found.kind {
        FoundKind::File => "a file",
        FoundKind::Directory => "a directory",
        FoundKind::Link => "a symbolic link",
        FoundKind::Special => "a device, a pipe or a socket",
    };
    let path = if path.is_empty() { b".".as_slice() } else { path };
    let reason = format!("{} is {is} there, where {wanted} is to be", String::from_utf8_lossy(path));
    TransferError::refused(reason, "what is in the way is not removed: see what it is")
}

fn parent(path: &[u8]) -> Vec<u8> {
    path.iter().rposition(|byte| *byte == b'/').map_or_else(Vec::new, |slash| path[..slash].to_vec())
}

/// The directories above `path`, outermost first.
fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at > 1).map(|(at, _)| &path[..at])
}

/// Whether others than one tree's owner have things in this directory: `--delete` with a slip of the finger must not empty it.
fn is_everybodys(directory: &[u8]) -> bool {
    const THESE: [&str; 26] = [
        "bin",
        "boot",
        "dev",
        "etc",
        "home",
        "lib",
        "lib32",
        "lib64",
        "media",
        "mnt",
        "opt",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "tmp",
        "usr",
        "var",
        "usr/bin",
        "usr/lib",
        "usr/local",
        "usr/share",
        "var/lib",
        "var/log",
    ];
    let Ok(text) = std::str::from_utf8(directory) else { return false };
    let text = text.trim_matches('/');
    let is_a_home = text.strip_prefix("home/").is_some_and(|user| !user.contains('/'));
    text.is_empty() || is_a_home || THESE.contains(&text)
}
