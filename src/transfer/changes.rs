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
        let mut draft = Draft {
            parcel,
            answer,
            copying,
            changes: Self::default(),
            touched: BTreeSet::new(),
            directories: Vec::new(),
        };
        for (index, entry) in parcel.entries.iter().enumerate() {
            if entry.kind == Kind::Directory { draft.directory(index, entry)? } else { draft.file(index, entry)? }
        }
        if copying.delete {
            draft.remove()?;
        }
        Ok(draft.finish())
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
}

/// Changes that are being found.
struct Draft<'a> {
    parcel: &'a Parcel,
    answer: &'a Answer,
    copying: &'a Copying,
    changes: Changes,
    /// Directories that get, or lose, something, and with it their times.
    touched: BTreeSet<Vec<u8>>,
    /// Those that may have to be given mode and time at the end, and an owner.
    directories: Vec<(usize, Option<String>)>,
}

impl Draft<'_> {
    fn directory(&mut self, index: usize, entry: &Entry) -> Result<(), TransferError> {
        let path = entry.path.clone();
        // The destination of what is in a directory stays as it is.
        let is_destination = path.is_empty() && matches!(self.parcel.shape, Shape::Into(_));
        let owner = self.copying.owner.clone();
        match self.answer.found.get(&dotted(&path)) {
            Some(found) if found.kind != FoundKind::Directory => Err(in_the_way(&path, found, "a directory")),
            None => {
                self.touched.insert(parent(&path));
                self.touched.insert(path.clone());
                self.changes.operations.push(Operation::MakeDirectory(index));
                self.directories.push((index, owner));
                self.changes.told.push(Change { path, how: How::New });
                Ok(())
            }
            Some(found) if !is_destination && !same_attributes(entry, found, self.copying) => {
                self.directories.push((index, owner));
                self.changes.told.push(Change { path, how: How::Attributes });
                Ok(())
            }
            Some(_) => {
                self.changes.unchanged += 1;
                if !is_destination {
                    self.directories.push((index, None));
                }
                Ok(())
            }
        }
    }

    fn file(&mut self, index: usize, entry: &Entry) -> Result<(), TransferError> {
        let path = landed(self.parcel, self.answer, entry);
        let found = self.answer.found.get(&dotted(&path));
        let how = match found {
            Some(found) if found.kind == FoundKind::Directory => return Err(in_the_way(&path, found, "a file")),
            None => How::New,
            Some(found) if !same_contents(entry, found) => How::Contents,
            Some(found) if !same_attributes(entry, found, self.copying) => How::Attributes,
            Some(_) => {
                self.changes.unchanged += 1;
                return Ok(());
            }
        };
        // Who replaces a file as root takes nobody's file away.
        let is_root = self.answer.said.get("uid").is_some_and(|uid| uid == b"0");
        let kept = found.filter(|_| is_root).map(|found| format!("{}:{}", found.owner.uid, found.owner.gid));
        let owner = self.copying.owner.clone();
        self.changes.operations.push(match (how, &entry.kind) {
            (How::Attributes, _) => Operation::SetAttributes(index, owner),
            (_, Kind::Link { .. }) => Operation::Link(index, owner.or(kept)),
            _ => Operation::Put(index, owner.or(kept)),
        });
        if how != How::Attributes {
            self.touched.insert(parent(&path));
        }
        self.changes.told.push(Change { path, how });
        Ok(())
    }

    /// What the trees there have and the sources have not.
    fn remove(&mut self) -> Result<(), TransferError> {
        // Where nothing is there yet, there is nothing to remove.
        let (Some(base), Some(listed)) = (self.answer.said.get("base"), self.answer.said.get("listed")) else {
            return Ok(());
        };
        for root in self.parcel.shape.roots() {
            let root = if root.is_empty() { base.clone() } else { [base, &b"/"[..], root].concat() };
            if is_everybodys(&root) {
                let reason = format!("--delete does not clear {}", String::from_utf8_lossy(&root));
                return Err(TransferError::refused(reason, "copy to a directory of its own"));
            }
        }
        let own = self.parcel.entries.iter().map(|entry| &entry.path).chain(&self.parcel.skipped);
        let wanted: BTreeSet<Vec<u8>> = own.map(|path| dotted(path)).collect();
        let mut gone: BTreeSet<&[u8]> = BTreeSet::new();
        for path in listed.split(|byte| *byte == 0).filter(|path| path.starts_with(b"./")) {
            let is_below_gone = ancestors(path).any(|above| gone.contains(above));
            if wanted.contains(path) || is_below_gone || path.starts_with(b"./.kfleet-copy-") {
                continue;
            }
            gone.insert(path);
            let path = path[2..].to_vec();
            self.touched.insert(parent(&path));
            self.changes.told.push(Change { path: path.clone(), how: How::Removed });
            self.changes.operations.push(Operation::Remove(path));
        }
        Ok(())
    }

    /// Directories get their modes and times innermost first, when nothing in them changes any more: a mode may forbid to write.
    fn finish(mut self) -> Changes {
        if !self.changes.told.is_empty() {
            // What comes is first put aside there.
            self.touched.insert(Vec::new());
        }
        let told: BTreeSet<&[u8]> = self.changes.told.iter().map(|change| change.path.as_slice()).collect();
        for (index, owner) in self.directories.into_iter().rev() {
            let path = &self.parcel.entries[index].path;
            if self.touched.contains(path) || told.contains(path.as_slice()) {
                self.changes.operations.push(Operation::SetAttributes(index, owner));
            }
        }
        self.changes
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
        FoundKind::File => "file",
        FoundKind::Directory => "directory",
        FoundKind::Link => "symbolic link",
        FoundKind::Special(what) => what,
    };
    let path = if path.is_empty() { b".".as_slice() } else { path };
    let reason = format!("{} is a {is} there, where {wanted} is to be", String::from_utf8_lossy(path));
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
