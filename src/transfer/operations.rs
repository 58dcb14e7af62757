//! What a host is told to do, and what it says of it.

use super::ask::dotted;
use super::changes::{Changes, Operation};
use super::copy::Copying;
use super::entry::Kind;
use super::parcel::{Parcel, Shape};
use super::words::field;

/// A line an operation: kind, number, owner, mode, time, path and, of a link, its target; `-` where there is none.
pub(super) fn operations(parcel: &Parcel, changes: &Changes, copying: &Copying, name: &[u8]) -> String {
    let mut lines = String::new();
    for operation in &changes.operations {
        let (kind, index, owner) = match operation {
            Operation::MakeDirectory(index) => ('d', *index, None),
            Operation::Put(index, owner) => ('f', *index, owner.as_deref()),
            Operation::Link(index, owner) => ('l', *index, owner.as_deref()),
            Operation::SetAttributes(index, owner) => ('a', *index, owner.as_deref()),
            Operation::Remove(path) => {
                lines += &format!("r - - - - {}\n", field(&dotted(path)));
                continue;
            }
        };
        let entry = &parcel.entries[index];
        let is_link = matches!(entry.kind, Kind::Link { .. });
        let mode = copying.mode_of(entry);
        let mode = match kind {
            'a' if !is_link => format!("{mode:o}"),
            // A new owner costs a file its set-id bits.
            'f' if owner.is_some() || !is_readable(mode) => format!("{mode:o}"),
            _ => "-".to_owned(),
        };
        let time =
            entry.modified.filter(|_| kind == 'a' && !is_link).map_or_else(|| "-".to_owned(), |time| time.to_string());
        let path = if matches!(parcel.shape, Shape::File(_)) { name } else { &entry.path };
        lines += &format!("{kind} {index} {} {mode} {time} {}", owner.unwrap_or("-"), field(&dotted(path)));
        if let Kind::Link { target } = &entry.kind {
            lines += &format!(" {}", field(target));
        }
        lines.push('\n');
    }
    lines
}

/// After each number of operations, how many of the paths that are told of are in place.
pub(super) fn placed(parcel: &Parcel, changes: &Changes) -> Vec<usize> {
    let is_told = |operation: &Operation| match operation {
        // A directory gets them once more when all else is done.
        Operation::SetAttributes(index, _) => parcel.entries[*index].kind != Kind::Directory,
        _ => true,
    };
    let after = changes.operations.iter().scan(0, |paths, operation| {
        *paths += usize::from(is_told(operation));
        Some(*paths)
    });
    std::iter::once(0).chain(after).collect()
}

/// How many operations the host has done, by the last that it said of it.
pub(super) fn done(stdout: &[u8], mark: &str) -> Option<usize> {
    let tail = String::from_utf8_lossy(&stdout[stdout.len().saturating_sub(256)..]);
    let (_, said) = tail.rsplit_once(&format!("{mark} placed "))?;
    said.split_once(' ')?.0.parse().ok()
}

/// Whether who receives a file can read it, to check it.
fn is_readable(mode: u32) -> bool {
    mode & 0o400 != 0
}
