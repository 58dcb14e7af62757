//! What is here already of what is fetched.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::entry::{Entry, Kind, Stamp};
use super::parcel::hash;

/// Whether what is here holds what a host has.
pub(super) fn same_contents(entry: &Entry, path: &Path, here: &Metadata) -> io::Result<bool> {
    Ok(match &entry.kind {
        Kind::Directory => here.is_dir(),
        Kind::Link { target } => here.is_symlink() && fs::read_link(path)?.as_os_str().as_bytes() == target,
        Kind::File { size, sha256 } => {
            here.is_file() && here.len() == *size && hash(&mut File::open(path)?, |_| Ok(()))?.1 == *sha256
        }
    })
}

/// Whether its mode and time are the host's. Of a directory the time is of no account: it is set when something in it was changed.
pub(super) fn same_attributes(entry: &Entry, here: &Metadata) -> bool {
    let mode = here.permissions().mode() & 0o7777 == entry.mode;
    match entry.kind {
        Kind::Link { .. } => true,
        Kind::Directory => mode,
        Kind::File { .. } => mode && entry.modified.is_none_or(|modified| modified.agrees(Stamp::of(here))),
    }
}

/// Removes what processes that are no more have left aside, whose numbers stand behind `prefix`.
pub(super) fn clean(into: &Path, prefix: &str) {
    let Ok(listed) = fs::read_dir(into) else { return };
    for entry in listed.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(prefix)) else { continue };
        let process = rest.split('.').next().unwrap_or_default();
        if process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists() {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
