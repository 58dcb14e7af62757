use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::arriving::{Arriving, NOTHING_KEPT};
use super::changes::{Change, How};
use super::copy::Copied;
use super::entry::{Entry, Kind};
use super::error::TransferError;
use super::here::{clean, same_attributes, same_contents};
use super::left_out::LeftOut;

/// A file or a tree of a host on its way to a directory of this machine: each file is written beside its place, checked, and renamed.
pub(super) struct Landing {
    /// What the target is in.
    into: PathBuf,
    /// Where the file, or the tree's root, goes.
    target: PathBuf,
    entries: Vec<Entry>,
    /// What becomes of those that are not as they should be; in the entries' order.
    changes: Vec<(usize, How)>,
    unchanged: usize,
    /// Where files are written first.
    aside: Option<TempDir>,
    /// The changes whose contents come, and which of them is next.
    incoming: Vec<usize>,
    next: usize,
    arriving: Option<Arriving>,
    /// Whether each comes by itself.
    by_itself: bool,
    /// Those that came and are not what they were to be.
    spoilt: Vec<usize>,
    /// How many paths are in place.
    pub placed: usize,
}

impl Landing {
    /// What is aside is called so, and by the process that writes it.
    const ASIDE: &'static str = ".kfleet-fetch-";

    /// Holds what a host has against what is here.
    ///
    /// # Errors
    /// Where a directory is in the way of a file, or what is here cannot be read.
    pub fn between(entries: Vec<Entry>, into: PathBuf, target: PathBuf, dry: bool) -> Result<Self, TransferError> {
        if !dry {
            clean(&into, Self::ASIDE);
        }
        let mut landing = Self {
            into,
            target,
            entries,
            changes: Vec::new(),
            unchanged: 0,
            aside: None,
            incoming: Vec::new(),
            next: 0,
            arriving: None,
            by_itself: false,
            spoilt: Vec::new(),
            placed: 0,
        };
        for index in 0..landing.entries.len() {
            match landing.how(index)? {
                Some(how) => {
                    let is_file = matches!(landing.entries[index].kind, Kind::File { .. });
                    if is_file && how != How::Attributes {
                        landing.incoming.push(index);
                    }
                    landing.changes.push((index, how));
                }
                None => landing.unchanged += 1,
            }
        }
        // What is written to at this moment spoils what comes behind it: it comes last.
        landing.incoming.sort_by_key(|index| landing.entries[*index].modified.map(|time| (time.seconds, time.nanos)));
        Ok(landing)
    }

    /// The files whose contents are to come, in this order.
    pub fn wanted(&self) -> impl Iterator<Item = &Entry> {
        self.incoming.iter().map(|index| &self.entries[*index])
    }

    /// How much is to come, in bytes.
    pub fn bytes(&self) -> u64 {
        self.wanted().map(Entry::size).sum()
    }

    /// What it comes to.
    pub fn copied(&self) -> Copied {
        let change = |(index, how): &(usize, How)| Change { path: self.shown(*index), how: *how };
        Copied {
            base: if self.is_tree() { &self.target } else { &self.into }.display().to_string(),
            changes: self.changes.iter().map(change).collect(),
            unchanged: self.unchanged,
            bytes: self.bytes(),
            left_out: LeftOut::default(),
        }
    }

    /// Makes the directories, and opens the first file.
    pub fn begin(&mut self) -> Result<(), TransferError> {
        if self.changes.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(&self.into).map_err(|error| cannot("make", &self.into, &error))?;
        let prefix = format!("{}{}.", Self::ASIDE, std::process::id());
        let aside = tempfile::Builder::new().prefix(&prefix).tempdir_in(&self.into);
        self.aside = Some(aside.map_err(|error| cannot("write in", &self.into, &error))?);
        for (index, entry) in self.entries.iter().enumerate().filter(|(_, entry)| entry.kind == Kind::Directory) {
            let path = self.place(index);
            let made = match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => Ok(()),
                // A link here would lead what comes into it elsewhere.
                Ok(_) => fs::remove_file(&path).and_then(|()| fs::create_dir(&path)),
                Err(_) => fs::create_dir(&path),
            };
            // Its own mode comes last: it may forbid to be written to.
            let open = Permissions::from_mode(entry.mode | 0o700);
            made.and_then(|()| fs::set_permissions(&path, open)).map_err(|error| cannot("make", &path, &error))?;
        }
        let is_made =
            |(index, how): &&(usize, How)| self.entries[*index].kind == Kind::Directory && *how != How::Attributes;
        self.placed = self.changes.iter().filter(is_made).count();
        self.advance()
    }

    /// Takes the next bytes of the files that are wanted, one after another.
    ///
    /// # Errors
    /// When they cannot be written, or there are more than were told of.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<(), TransferError> {
        while !bytes.is_empty() {
            let Some(arriving) = &mut self.arriving else {
                return Err(TransferError::refused("it sends more than it told of", NOTHING_KEPT));
            };
            bytes = arriving.take(bytes)?;
            if arriving.is_over() {
                self.settle()?;
                self.advance()?;
            }
        }
        Ok(())
    }

    /// Begins once more with the files that did not come as they were told of, each of them by itself; whether there are any.
    pub fn again(&mut self) -> Result<bool, TransferError> {
        let missing = self.incoming.split_off(self.next - usize::from(self.arriving.take().is_some()));
        self.incoming = std::mem::take(&mut self.spoilt);
        self.incoming.extend(missing);
        (self.next, self.by_itself) = (0, true);
        self.advance()?;
        Ok(!self.incoming.is_empty())
    }

    /// Whether all files have come.
    pub fn is_complete(&self) -> bool {
        self.arriving.is_none() && self.next == self.incoming.len()
    }

    /// Makes the links, and gives everything its mode and time.
    ///
    /// # Errors
    /// When something cannot be written; or, all else being in place, a file did not come whole.
    pub fn end(&mut self) -> Result<Copied, TransferError> {
        for (index, how) in &self.changes {
            let path = self.place(*index);
            let done = match &self.entries[*index].kind {
                Kind::Link { target } => self.link(*index, target, &path),
                Kind::File { .. } if *how == How::Attributes => self.dress(*index, &path),
                _ => continue,
            };
            done.map_err(|error| cannot("write", &path, &error))?;
            self.placed += 1;
        }
        if let Some(aside) = self.aside.take() {
            let path = aside.path().to_owned();
            aside.close().map_err(|error| cannot("remove", &path, &error))?;
            // Innermost first, when nothing in them changes any more.
            for index in (0..self.entries.len()).rev().filter(|index| self.entries[*index].kind == Kind::Directory) {
                let path = self.place(index);
                self.dress(index, &path).map_err(|error| cannot("write", &path, &error))?;
            }
        }
        let Some(index) = self.spoilt.first() else { return Ok(self.copied()) };
        let first = String::from_utf8_lossy(&self.entries[*index].path).into_owned();
        let reason = match self.spoilt.len() - 1 {
            0 => format!("{first} changed while it was read"),
            more => format!("{first} and {more} more changed while they were read"),
        };
        Err(TransferError::refused(reason, "the rest is in place; run it again once nobody writes there"))
    }

    /// Where an entry goes.
    fn place(&self, index: usize) -> PathBuf {
        match self.is_tree() {
            true if self.entries[index].path.is_empty() => self.target.clone(),
            true => self.target.join(OsStr::from_bytes(&self.entries[index].path)),
            false => self.target.clone(),
        }
    }

    fn is_tree(&self) -> bool {
        self.entries.first().is_some_and(|entry| entry.kind == Kind::Directory)
    }

    fn shown(&self, index: usize) -> Vec<u8> {
        match (self.is_tree(), self.target.file_name()) {
            (false, Some(name)) => name.as_bytes().to_vec(),
            _ => self.entries[index].path.clone(),
        }
    }

    fn how(&self, index: usize) -> Result<Option<How>, TransferError> {
        let (entry, path) = (&self.entries[index], self.place(index));
        if !self.is_reachable(&path) {
            return Ok(Some(How::New));
        }
        let here = match fs::symlink_metadata(&path) {
            Ok(here) => here,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(How::New)),
            Err(error) => return Err(cannot("read", &path, &error)),
        };
        if here.is_dir() && entry.kind != Kind::Directory {
            return Err(TransferError::Local(format!("{} is a directory here, and none there", path.display())));
        }
        let same = same_contents(entry, &path, &here).map_err(|error| cannot("read", &path, &error))?;
        let is_contents_root = path == self.into;
        Ok(match same {
            false => Some(How::Contents),
            true if is_contents_root || same_attributes(entry, &here) => None,
            true => Some(How::Attributes),
        })
    }

    /// Whether all that is above `path`, from the target on, is directories here: what lies behind a link is not ours.
    fn is_reachable(&self, path: &Path) -> bool {
        let above = path.ancestors().skip(1).take_while(|above| above.starts_with(&self.target));
        above
            .into_iter()
            .all(|above| *above == *self.into || fs::symlink_metadata(above).is_ok_and(|found| found.is_dir()))
    }

    /// Opens the next file; the empty ones before it are put in place at once.
    fn advance(&mut self) -> Result<(), TransferError> {
        while let (None, Some(index)) = (&self.arriving, self.incoming.get(self.next)) {
            let Some(aside) = &self.aside else { return Ok(()) };
            let (path, entry) = (aside.path().join("file"), &self.entries[*index]);
            let begun = if self.by_itself { Arriving::by_itself } else { Arriving::as_told };
            let arriving = begun(path, entry).map_err(|error| cannot("write in", aside.path(), &error))?;
            let is_over = arriving.is_over();
            self.arriving = Some(arriving);
            self.next += 1;
            if is_over {
                self.settle()?;
            }
        }
        Ok(())
    }

    /// Checks the file that has come, and puts it in place.
    fn settle(&mut self) -> Result<(), TransferError> {
        let (Some(arriving), Some(&index)) = (self.arriving.take(), self.incoming.get(self.next.wrapping_sub(1)))
        else {
            return Ok(());
        };
        let Some(path) = arriving.whole() else {
            self.spoilt.push(index);
            return Ok(());
        };
        let place = self.place(index);
        let placed = self.dress(index, &path).and_then(|()| fs::rename(&path, &place));
        placed.map_err(|error| cannot("write", &place, &error))?;
        self.placed += 1;
        Ok(())
    }

    fn link(&self, index: usize, target: &[u8], path: &Path) -> io::Result<()> {
        let Some(aside) = &self.aside else { return Ok(()) };
        let made = aside.path().join(format!("link-{index}"));
        symlink(OsStr::from_bytes(target), &made)?;
        fs::rename(made, path)
    }

    /// Gives a file or a directory its mode and time.
    fn dress(&self, index: usize, path: &Path) -> io::Result<()> {
        let entry = &self.entries[index];
        // Opened before its mode may forbid it.
        let file = File::open(path)?;
        if let Some(modified) = entry.modified {
            file.set_modified(modified.time())?;
        }
        file.set_permissions(Permissions::from_mode(entry.mode))
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> TransferError {
    TransferError::Local(format!("cannot {what} {}: {error}", path.display()))
}
