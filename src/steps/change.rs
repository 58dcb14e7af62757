use crate::base::told;

use super::Action;

/// What a step has to do on a host.
#[derive(Debug, Clone)]
pub enum Change {
    /// Nothing: the host is as it should be, or the step leaves it alone.
    None {
        /// Why, for the reader.
        why: String,
    },
    /// Something.
    Some {
        /// A line a change: `+ added`, `- removed`, or prose. No secrets.
        diff: Vec<String>,
        /// In order; the first that fails ends the step.
        actions: Vec<Action>,
        /// What was there before, for the host's record.
        record: Vec<Recorded>,
    },
    /// The host is in a state that the step must not touch.
    Refused {
        /// What is in the way.
        reason: String,
        /// What the person at the keyboard can do.
        hint: String,
    },
}

impl Change {
    /// Nothing to do, because of `why`.
    #[must_use]
    pub fn none(why: impl Into<String>) -> Self {
        Self::None { why: why.into() }
    }

    /// The same in words that are fit to be told, whatever the host has its zones, files and values called.
    #[must_use]
    pub fn in_safe_words(self) -> Self {
        match self {
            Self::None { why } => Self::None { why: told(&why) },
            Self::Some { diff, actions, record } => {
                Self::Some { diff: diff.iter().map(|line| told(line)).collect(), actions, record }
            }
            Self::Refused { reason, hint } => Self::Refused { reason: told(&reason), hint: told(&hint) },
        }
    }

    /// What there is to do, in order.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        match self {
            Self::Some { actions, .. } => actions,
            Self::None { .. } | Self::Refused { .. } => &[],
        }
    }

    /// What the host's record is to hold of it.
    #[must_use]
    pub fn record(&self) -> &[Recorded] {
        match self {
            Self::Some { record, .. } => record,
            Self::None { .. } | Self::Refused { .. } => &[],
        }
    }
}

/// One thing that kfleet brought to a host, and what was in its place. Kept on the host, so that a reset takes back
/// only this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recorded {
    /// The kind, as `sysctl`, `firewall-port`, `file`, `unit`.
    pub kind: String,
    /// Which one: `net.ipv4.ip_forward`, `public 6443/tcp runtime`, a path, …
    pub item: String,
    /// What was there before; `None` where nothing was.
    pub before: Option<String>,
}
