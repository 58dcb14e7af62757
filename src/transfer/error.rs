use thiserror::Error;

use crate::host::HostError;

/// Why a host did not get, or give, what it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransferError {
    /// It was not heard to the end.
    #[error("{0}")]
    Host(#[from] HostError),
    /// It cannot do it, or something there is in the way. Nothing was put in place, or the files that were are whole.
    #[error("{reason}")]
    Refused {
        /// What is wrong, a fragment.
        reason: String,
        /// What the host said of it, line by line.
        output: Vec<String>,
        /// What to do.
        hint: Option<String>,
    },
    /// Something on this machine.
    #[error("{0}")]
    Local(String),
}

impl TransferError {
    pub(super) fn refused(reason: impl Into<String>, hint: &str) -> Self {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        Self::Refused { reason: reason.into(), output: Vec::new(), hint }
    }

    /// The host has not what its scripts take.
    pub(super) fn lacks(tool: &str) -> Self {
        let hint = "it takes sha256sum, stat, tar and xargs: those of coreutils, tar and findutils, or busybox's";
        Self::refused(format!("there is no {tool} on the host"), hint)
    }

    /// A refusal in the host's own words; the ones that a person sees most are told in few.
    pub(super) fn said(what: &str, output: Vec<String>) -> Self {
        const KNOWN: [(&str, &str, &str); 6] = [
            ("No space left on device", "no space left on device", ROOM),
            // GNU tar's words where the last of the room took a part of what it wrote.
            ("Wrote only", "no space left on device", ROOM),
            ("Disk quota exceeded", "disk quota exceeded", ROOM),
            ("Read-only file system", "read-only file system", "is it mounted so, or has its disk an error?"),
            ("Permission denied", "permission denied", ROOTS),
            ("Operation not permitted", "operation not permitted", ROOTS),
        ];
        const ROOM: &str = "make room there and run it again";
        const ROOTS: &str = "is that root's place? --sudo goes there as root";
        let known = KNOWN.iter().find(|(words, _, _)| output.iter().any(|line| line.contains(words)));
        let reason = known.map_or_else(|| what.to_owned(), |(_, reason, _)| format!("{what}: {reason}"));
        Self::Refused { reason, output, hint: known.map(|(_, _, hint)| (*hint).to_owned()) }
    }

    /// What to do, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Host(error) => error.hint(),
            Self::Refused { hint, .. } => hint.as_deref(),
            Self::Local(_) => None,
        }
    }
}
