//! Files and trees, to a host and from it, over any [`Host`](crate::host::Host).
//!
//! ```text
//! copy    Parcel (read here, once) ──► ask: what is there? ──► Changes ──► send: one stream ──► checked, then put in place
//! fetch   ask: what is there? ──► Landing (held against what is here) ──► one stream back ──► checked, then put in place
//! ```
//!
//! Two requests a host, however many files: one asks, one sends. A host needs no kfleet, no rsync and no SFTP server, only
//! `/bin/sh` with stat, sha256sum, tar and xargs, which coreutils, tar and findutils have, or busybox alone.

mod answer;
mod arriving;
mod ask;
mod blocks;
mod changes;
mod copy;
mod entry;
mod error;
mod fetch;
mod here;
mod landing;
mod left_out;
mod manifest;
mod operations;
mod parcel;
mod progress;
pub mod scp;
mod send;
mod tar;
mod words;

#[cfg(test)]
mod tests;

pub use changes::{Change, How};
pub use copy::{Copied, Copying, Landing, copy};
pub use entry::{Entry, Kind, Stamp};
pub use error::TransferError;
pub use fetch::{Fetching, fetch};
pub use left_out::LeftOut;
#[cfg(any(test, fuzzing))]
pub(crate) use manifest::fetched_paths;
pub use parcel::{Parcel, SourceError};
pub use progress::Progress;
