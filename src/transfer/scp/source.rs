use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::names::encode;

/// Reads files and trees here, and writes them as the stream that a host's script receives.
pub(super) struct Source {
    pub(super) recursive: bool,
    pub(super) sender: Sender<Bytes>,
    /// What could not be read, for people.
    pub(super) complaints: Vec<String>,
    /// Whether one of those that were named is not there at all.
    pub(super) missing: bool,
}

/// In bytes.
const PIECE: usize = 64 << 10;

/// Nobody takes the stream any more.
struct Gone;

impl Source {
    /// Sends everything, or as much of it as is taken; returns what could not be read, and whether one is missing.
    pub(super) fn send(mut self, sources: &[PathBuf]) -> (Vec<String>, bool) {
        for source in sources {
            if let Err(error) = fs::metadata(source) {
                self.missing = true;
                let _ = self.complain(source, &error.to_string());
                break;
            }
            if self.entry(source, file_name(source)).is_err() {
                break;
            }
        }
        (self.complaints, self.missing)
    }

    fn entry(&mut self, path: &Path, name: OsString) -> Result<(), Gone> {
        // As scp does, what a link leads to and not the link.
        let found = fs::metadata(path).and_then(|metadata| {
            if metadata.is_file() { File::open(path).map(|file| (metadata, Some(file))) } else { Ok((metadata, None)) }
        });
        let (metadata, file) = match found {
            Ok(found) => found,
            Err(error) => return self.complain(path, &error.to_string()),
        };
        let (mode, size, name) = (metadata.permissions().mode() & 0o777, metadata.len(), encode(&name));
        match file {
            Some(file) => {
                self.put(format!("F {mode:o} {size} {name}\n").into())?;
                self.contents(path, file, size)
            }
            None if !metadata.is_dir() => self.complain(path, "not a regular file"),
            None if !self.recursive => self.complain(path, "not a regular file; -r copies directories"),
            None => {
                self.put(format!("D {mode:o} - {name}\n").into())?;
                self.directory(path)?;
                self.put("E - - -\n".into())
            }
        }
    }

    fn directory(&mut self, path: &Path) -> Result<(), Gone> {
        let names = fs::read_dir(path).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()
        });
        match names {
            Ok(mut names) => {
                names.sort();
                names.into_iter().try_for_each(|name| self.entry(&path.join(&name), name.clone()))
            }
            Err(error) => self.complain(path, &error.to_string()),
        }
    }

    /// Exactly as much as was said; a file that has become shorter is filled up, and complained of.
    fn contents(&mut self, path: &Path, file: File, size: u64) -> Result<(), Gone> {
        let mut file = file.take(size);
        let mut left = size;
        let mut trouble = None;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let mut piece = vec![0; wanted];
            if trouble.is_none() {
                trouble = file.read_exact(&mut piece).err();
            }
            self.put(piece.into())?;
            left -= wanted as u64;
        }
        match trouble {
            Some(error) => self.complain(path, &format!("it changed while it was read: {error}")),
            None => Ok(()),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "what every step of the way here returns")]
    fn complain(&mut self, path: &Path, reason: &str) -> Result<(), Gone> {
        self.complaints.push(format!("scp: {}: {reason}\n", path.display()));
        Ok(())
    }

    fn put(&mut self, bytes: Bytes) -> Result<(), Gone> {
        self.sender.blocking_send(bytes).map_err(|_| Gone)
    }
}

/// What a source is called where it arrives.
fn file_name(path: &Path) -> OsString {
    let named = |path: &Path| path.file_name().map(ToOwned::to_owned);
    // `..` and `/` have names only once they are resolved; what has none at all goes by what it is there.
    named(path).or_else(|| named(&path.canonicalize().ok()?)).unwrap_or_else(|| ".".into())
}
