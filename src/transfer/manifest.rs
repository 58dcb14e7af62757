use std::collections::BTreeMap;

use super::answer::{Answer, Found, FoundKind};
use super::entry::{Entry, Kind};
use super::error::TransferError;
use super::left_out::LeftOut;

/// Reads what a host has at its source, and believes nothing of it that could lead out of the directory that it is put into: every
/// path is below the root, plain, and has only directories above it. A tree's root comes first; of a file there is nothing else. What
/// is in a tree and cannot be fetched is left out.
///
/// # Errors
/// Where the host tells of what cannot be, or of what cannot be fetched.
pub(super) fn entries(answer: &Answer, is_tree: bool) -> Result<(Vec<Entry>, LeftOut), TransferError> {
    let mut left_out = LeftOut::default();
    let mut entries: Vec<Entry> = Vec::new();
    let mut kinds: BTreeMap<&[u8], FoundKind> = BTreeMap::new();
    for told in &answer.order {
        let Some(found) = answer.found.get(told) else { return Err(impossible(told)) };
        let path = match (told.as_slice(), told.strip_prefix(b"./")) {
            (b".", _) => &b""[..],
            (_, Some(path)) if is_plain(path) => path,
            _ => return Err(impossible(told)),
        };
        let above = path.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |slash| &path[..slash]);
        let fits = match entries.is_empty() {
            true => is_tree == path.is_empty() && is_tree == (found.kind == FoundKind::Directory),
            false => kinds.get(above) == Some(&FoundKind::Directory),
        };
        // One that is told twice is told by nobody who means well.
        if !fits || kinds.insert(path, found.kind).is_some() {
            return Err(impossible(told));
        }
        match found.kind {
            FoundKind::Special(what) => left_out.add(what),
            _ => entries.push(entry(path.to_vec(), found.clone())?),
        }
    }
    if entries.is_empty() {
        return Err(TransferError::refused("the host does not say what there is", ""));
    }
    Ok((entries, left_out))
}

/// The paths that are believed of what a host wrote.
#[cfg(any(test, fuzzing))]
pub(crate) fn fetched_paths(stdout: &[u8], mark: &str, is_tree: bool) -> Result<Vec<Vec<u8>>, TransferError> {
    let entries = entries(&Answer::parse(stdout, mark), is_tree)?;
    Ok(entries.0.into_iter().map(|entry| entry.path).collect())
}

fn entry(path: Vec<u8>, found: Found) -> Result<Entry, TransferError> {
    let shown = || String::from_utf8_lossy(&path).into_owned();
    let kind = match (found.kind, found.sha256, found.target) {
        (FoundKind::File, Some(sha256), _) => Kind::File { size: found.size, sha256 },
        (FoundKind::File, None, _) => {
            let hint = "is it root's? --sudo reads as root";
            return Err(TransferError::refused(format!("cannot read {} there", shown()), hint));
        }
        (FoundKind::Directory, ..) => Kind::Directory,
        (FoundKind::Link, _, Some(target)) if !target.is_empty() && !target.contains(&0) => Kind::Link { target },
        (FoundKind::Link, ..) => {
            return Err(TransferError::refused(format!("cannot read the link {} there", shown()), ""));
        }
        (FoundKind::Special(what), ..) => {
            let reason = format!("{} is a {what}", shown());
            return Err(TransferError::refused(reason, "only files, directories and symbolic links are fetched"));
        }
    };
    // A host must not plant a program here that runs as whoever fetched it.
    Ok(Entry { path, kind, mode: found.mode & 0o1777, modified: Some(found.modified) })
}

/// Whether no component is empty or leads elsewhere.
pub(super) fn is_plain(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b"..") && !part.contains(&0))
}

fn impossible(path: &[u8]) -> TransferError {
    let path = String::from_utf8_lossy(path);
    TransferError::refused(
        format!("the host tells of a path that cannot be: {path}"),
        "nothing was written; have a look at that host",
    )
}
