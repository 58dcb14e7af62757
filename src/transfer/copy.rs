use std::sync::Arc;

use super::ask::ask;
use super::changes::{Change, Changes};
use super::entry::{Entry, Kind};
use super::error::TransferError;
use super::left_out::LeftOut;
use super::parcel::Parcel;
use super::progress::Progress;
use super::send::send;
use crate::base::nonce;
use crate::host::{Host, User};

/// Where a parcel goes, and as whose.
#[derive(Debug, Clone)]
pub struct Copying {
    /// The path on the hosts, from the directory that a login starts in where it does not begin with `/`.
    pub destination: Vec<u8>,
    /// What the destination means.
    pub landing: Landing,
    /// `USER`, `USER:GROUP` or `:GROUP`; else a file that is replaced keeps its owner as far as the writer may say so, and a new one is
    /// the writer's.
    pub owner: Option<String>,
    /// Of files, in place of their own.
    pub mode: Option<u32>,
    /// Whether what a tree there has and the source has not is removed.
    pub delete: bool,
    /// Who writes.
    pub user: User,
    /// Whether it is only told what would be done.
    pub dry: bool,
}

/// What a destination means. A single file goes into it where it is a directory, and else becomes it, under either rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// A tree always goes into the destination, several sources do, and the destination is made where it is missing: the same command
    /// means the same every time.
    Inside,
    /// As `scp -r` and `cp -r` have it: a tree goes into a directory that is there, and else becomes the destination; several sources
    /// need a directory that is there.
    Scp,
}

impl Copying {
    /// The mode that an entry gets.
    pub(super) fn mode_of(&self, entry: &Entry) -> u32 {
        match (self.mode, &entry.kind) {
            (Some(mode), Kind::File { .. }) => mode,
            _ => entry.mode,
        }
    }
}

/// What a copy to one host came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The directory that the changes' paths are in, as the host calls it.
    pub base: String,
    /// What was, or in a dry run would be, changed.
    pub changes: Vec<Change>,
    /// How many paths were as they should be.
    pub unchanged: usize,
    /// How much the files hold that were, or would be, sent, in bytes.
    pub bytes: u64,
    /// What there is and was not fetched; what is not copied a [`Parcel`] says once for all hosts.
    pub left_out: LeftOut,
}

/// Copies a parcel to a host: asks what differs, and sends that. A file that is there is the old one or the new one, whole, at
/// every moment and however this ends.
///
/// # Errors
/// [`TransferError`]; what was put in place by then is whole.
pub async fn copy(
    host: &dyn Host,
    parcel: &Arc<Parcel>,
    copying: &Copying,
    progress: &Progress,
) -> Result<Copied, TransferError> {
    let mark = nonce().map_err(|error| TransferError::Local(error.to_string()))?;
    let answer = ask(host, parcel, copying, &mark).await?;
    let changes = Changes::between(parcel, &answer, copying)?;
    let bytes = changes.size(parcel);
    if !copying.dry && !changes.operations.is_empty() {
        send(host, parcel, &answer, &changes, copying, &mark, progress).await?;
    }
    let base = answer.text("base").or_else(|| answer.text("absent")).unwrap_or_default();
    Ok(Copied { base, changes: changes.told, unchanged: changes.unchanged, bytes, left_out: LeftOut::default() })
}
