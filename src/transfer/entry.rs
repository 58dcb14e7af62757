use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Something that is to be at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where, below the root of what is transferred; empty for the root itself. As raw bytes: a name need not be UTF-8.
    pub path: Vec<u8>,
    /// What.
    pub kind: Kind,
    /// Permission bits, set-id and sticky among them. A link's are of no account.
    pub mode: u32,
    /// When it was last modified; `None` where that is not to be kept.
    pub modified: Option<Stamp>,
}

impl Entry {
    /// How much a file holds, in bytes; of others nothing is sent.
    pub(super) fn size(&self) -> u64 {
        if let Kind::File { size, .. } = self.kind { size } else { 0 }
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File {
        /// In bytes.
        size: u64,
        /// Of all of it.
        sha256: [u8; 32],
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Link {
        /// Where it points to, as it was made.
        target: Vec<u8>,
    },
}

/// A time of modification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Since 1970, UTC.
    pub seconds: i64,
    /// On top of the seconds.
    pub nanos: u32,
}

impl Stamp {
    /// As the system's clock has it; one that it cannot say is 1970.
    pub(super) fn time(self) -> SystemTime {
        let (whole, nanos) =
            (Duration::from_secs(self.seconds.unsigned_abs()), Duration::from_nanos(self.nanos.into()));
        let whole = if self.seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        whole.and_then(|whole| whole.checked_add(nanos)).unwrap_or(UNIX_EPOCH)
    }

    /// The present second.
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { seconds: i64::try_from(since.as_secs()).unwrap_or_default(), nanos: 0 }
    }

    /// Of a file of this machine.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { seconds: metadata.mtime(), nanos: u32::try_from(metadata.mtime_nsec()).unwrap_or_default() }
    }

    /// Whether both are the same time as far as both can be told: one without nanoseconds comes from tools that know none.
    pub(super) fn agrees(self, other: Self) -> bool {
        self.seconds == other.seconds && (self.nanos == other.nanos || self.nanos == 0 || other.nanos == 0)
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Nanoseconds count forwards, also before 1970.
        if self.seconds < 0 && self.nanos > 0 {
            write!(f, "-{}.{:09}", -(self.seconds + 1), 1_000_000_000 - self.nanos)
        } else {
            write!(f, "{}.{:09}", self.seconds, self.nanos)
        }
    }
}
