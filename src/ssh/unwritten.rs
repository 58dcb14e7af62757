use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use russh::keys::PublicKey;

/// Host keys of this process that were taken as new and could not be written down. `ssh` goes on as well; but here a host has
/// several connections, and is held to its first key as if that had been written.
#[derive(Debug)]
pub(super) struct Unwritten(Vec<Taken>);

#[derive(Debug)]
struct Taken {
    file: PathBuf,
    host: String,
    key: PublicKey,
    error: String,
}

/// One new key at a time is written down, or not: two hosts behind one address must not both be new.
pub(super) static WRITING: Mutex<Unwritten> = Mutex::new(Unwritten(Vec::new()));

impl Unwritten {
    /// Takes note of a key; whether it may be taken, as one that is no other than before.
    pub(super) fn take(&mut self, file: &Path, host: &str, key: &PublicKey, error: &io::Error) -> bool {
        if let Some(taken) = self.0.iter().find(|taken| taken.file == file && taken.host == host) {
            return taken.key.key_data() == key.key_data();
        }
        let (file, host, key, error) = (file.to_owned(), host.to_owned(), key.clone(), error.to_string());
        self.0.push(Taken { file, host, key, error });
        true
    }
}

/// What a person is to be told of them once all is done: a line for each file.
#[must_use]
pub fn unwritten_host_keys() -> Vec<String> {
    let unwritten = &WRITING.lock().unwrap_or_else(PoisonError::into_inner).0;
    let mut lines = Vec::new();
    for (at, Taken { file, host, error, .. }) in unwritten.iter().enumerate() {
        if unwritten[..at].iter().any(|before| before.file == *file) {
            continue;
        }
        let keys = match unwritten.iter().filter(|taken| taken.file == *file).count() {
            1 => format!("the new host key of {host} was"),
            count => format!("the new host keys of {host} and {} more were", count - 1),
        };
        lines.push(format!("{keys} taken, but not written to {}: {error}", file.display()));
    }
    lines
}
