use std::time::Duration;

use thiserror::Error;

/// Why a host could not be reached, verified, authenticated, or heard to its end.
///
/// The texts are fragments that fit "failed to connect: …"; a hint says what the person at the keyboard can do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HostError {
    /// What is said of it leads nowhere; nothing was dialled.
    #[error("{reason}")]
    Unusable {
        /// Where it is said, and what is wrong with it.
        reason: String,
    },
    /// The name has no address.
    #[error("cannot resolve {address}: {reason}")]
    Resolve {
        /// As the inventory has it.
        address: String,
        /// The resolver's words.
        reason: String,
    },
    /// No TCP connection, or none that speaks SSH.
    #[error("cannot reach {address}: {reason}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// A host on the way to it could not be reached, verified or logged in to.
    #[error("the jump host {jump}: {error}")]
    Jump {
        /// The jump host's name.
        jump: String,
        /// What is wrong with it.
        error: Box<Self>,
    },
    /// The key is not the one that known_hosts has, is revoked, or is not known at all.
    #[error("{reason}")]
    HostKey {
        /// What is wrong with it, with the file and line of the entry that says so.
        reason: String,
        /// What to do, if it is right after all.
        hint: String,
    },
    /// The server took none of what was offered.
    #[error("{user} was not let in: {reason}")]
    Authentication {
        /// Who wanted to log in.
        user: String,
        /// What was offered and what the server still takes.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// Logged in, but not able to become root.
    #[error("{user} cannot become root: {reason}")]
    Sudo {
        /// Who logged in.
        user: String,
        /// sudo's words.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// The connection broke while something ran; what ran may still be running.
    #[error("the connection was lost: {reason}")]
    Lost {
        /// What was seen of it.
        reason: String,
    },
    /// It took longer than it may.
    #[error("no answer within {}", seconds(.after))]
    Deadline {
        /// The time it had.
        after: Duration,
    },
}

impl HostError {
    /// What the person at the keyboard can do, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::HostKey { hint, .. } | Self::Authentication { hint, .. } | Self::Sudo { hint, .. } => Some(hint),
            Self::Jump { error, .. } => error.hint(),
            Self::Resolve { .. } => Some("is the name right? an inventory's `address` may be the host's IP address"),
            Self::Unreachable { .. } => {
                Some("is it up, does its firewall let you in, and is that sshd's port? try `ssh` to it")
            }
            Self::Lost { .. } => Some("run the same command again: what is done stays done"),
            Self::Unusable { .. } | Self::Deadline { .. } => None,
        }
    }
}

fn seconds(duration: &Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds.fract() == 0.0 { format!("{seconds:.0} s") } else { format!("{seconds:.1} s") }
}
