use crate::fanout::{Ended, Miss};
use crate::host::{Exit, HostError};

/// How pssh would have seen the work on one host end: as a process of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// It exited with this status; 255 is ssh's own.
    Exited(u32),
    /// Its time was over.
    TimedOut,
    /// Ctrl-C, while it ran or before it began.
    Interrupted { began: bool },
    /// Something on this machine stood in its way.
    Local(String),
}

/// Ssh's own status, for all that is not the remote command's.
const SSH_FAILED: u32 = 255;

impl Ending {
    /// How it ended, and what ssh would have said of it on stderr.
    pub(super) fn of(ended: &Ended<Exit>) -> (Self, Option<String>) {
        let began = !ended.took.is_zero();
        match &ended.result {
            Ok(Exit::Status(status)) => (Self::Exited(*status), None),
            // Ssh says of a command that a signal ended nothing but this.
            Ok(Exit::Signal(_)) => (Self::Exited(SSH_FAILED), None),
            Err(Miss::Host(error)) => (Self::Exited(SSH_FAILED), Some(words(error))),
            Err(Miss::TooLong(_)) => (Self::TimedOut, None),
            Err(Miss::Interrupted) => (Self::Interrupted { began }, None),
            Err(miss @ (Miss::Local(_) | Miss::Bug(_))) => (Self::Local(miss.to_string()), None),
        }
    }

    /// What the host's line says of it; `None` where all went well.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::Exited(0) => None,
            Self::Exited(status) => Some(format!("Exited with error code {status}")),
            Self::TimedOut => Some("Timed out, Killed by signal 9".to_owned()),
            Self::Interrupted { began: true } => Some("Interrupted".to_owned()),
            Self::Interrupted { began: false } => Some("Cancelled".to_owned()),
            Self::Local(reason) => Some(reason.clone()),
        }
    }
}

fn words(error: &HostError) -> String {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("kfleet: {error}{hint}\n")
}
