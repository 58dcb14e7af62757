use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use ring::digest;

use super::answer::hexadecimal;
use super::entry::{Entry, Kind};
use super::error::TransferError;

/// A file of which some has come, written beside its place.
pub(super) struct Arriving {
    file: File,
    pub path: PathBuf,
    context: digest::Context,
    left: u64,
    /// What it is to hold; a file that comes by itself says so first.
    sha256: Option<[u8; 32]>,
    head: Option<Head>,
}

/// Before a file that comes by itself: how long it is by now, and its SHA-256.
struct Head {
    text: Vec<u8>,
    /// It cannot be longer.
    most: u64,
}

impl Arriving {
    /// How long a head is: the length as 20 digits, and the SHA-256 as 64.
    const HEAD: usize = 84;
    /// The longest that a file may be which has no length, as those of /proc; in bytes.
    pub const UNTOLD: u64 = 16 << 20;

    /// One that is to come as it was told of.
    pub fn as_told(path: PathBuf, entry: &Entry) -> io::Result<Self> {
        let sha256 = if let Kind::File { sha256, .. } = entry.kind { Some(sha256) } else { None };
        let (file, context) = (File::create(&path)?, digest::Context::new(&digest::SHA256));
        Ok(Self { file, path, context, left: entry.size(), sha256, head: None })
    }

    /// One that comes by itself, as it is by then.
    pub fn by_itself(path: PathBuf, entry: &Entry) -> io::Result<Self> {
        let most = if entry.size() == 0 { Self::UNTOLD } else { entry.size() };
        let head = Some(Head { text: Vec::new(), most });
        Ok(Self { head, left: 0, sha256: None, ..Self::as_told(path, entry)? })
    }

    /// Whether all of it has come.
    pub fn is_over(&self) -> bool {
        self.left == 0 && self.head.is_none()
    }

    /// Takes what is its own of `bytes`; the rest is given back.
    ///
    /// # Errors
    /// When it cannot be written, or the host sends what it was not asked for.
    pub fn take<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], TransferError> {
        let mut bytes = bytes;
        if let Some(head) = &mut self.head {
            let (own, rest) = bytes.split_at(bytes.len().min(Self::HEAD - head.text.len()));
            head.text.extend_from_slice(own);
            bytes = rest;
            if head.text.len() < Self::HEAD {
                return Ok(bytes);
            }
            let (length, sha256) = head.text.split_at(20);
            let length = std::str::from_utf8(length).ok().and_then(|length| length.parse::<u64>().ok());
            let length = length.filter(|length| *length <= head.most);
            self.left = length.ok_or_else(|| TransferError::refused("it sends more than it told of", NOTHING_KEPT))?;
            self.sha256 = hexadecimal(sha256);
            self.head = None;
        }
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let (own, rest) = bytes.split_at(length);
        let written = self.file.write_all(own);
        written.map_err(|error| TransferError::Local(format!("cannot write {}: {error}", self.path.display())))?;
        self.context.update(own);
        self.left -= length as u64;
        Ok(rest)
    }

    /// Where it is, if it is what it is to be.
    pub fn whole(self) -> Option<PathBuf> {
        let digest = self.context.finish();
        self.sha256.is_some_and(|sha256| digest.as_ref() == sha256).then_some(self.path)
    }
}

pub(super) const NOTHING_KEPT: &str = "nothing of that was kept";
