use std::io::{self, Write};
use std::process::ExitCode;

use crate::engine::Report;
use crate::events::{FailureKind, Outcome};

/// How a command ended, as far as its exit code tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The run came to this. Of several kinds of failure `Outcome::of` has chosen the one that counts.
    Run(Outcome),
    /// The command line or the inventory is wrong; no host was touched.
    Usage,
    /// Something on this machine went wrong.
    Local,
    /// A plan would change something, and the exit code was asked to say so.
    WouldChange,
}

impl Exit {
    /// All well.
    pub const SUCCESS: Self = Self::Run(Outcome::Succeeded);

    /// Of a run that was driven to its end, or that ended before it began.
    pub(super) fn of_run(driven: Result<Report, Self>) -> Self {
        driven.map_or_else(|exit| exit, |report| Self::Run(report.outcome))
    }

    /// The exit code. pssh's, whose users they already serve.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Run(Outcome::Succeeded) => 0,
            Self::Run(Outcome::Failed(FailureKind::Local)) | Self::Local => 1,
            Self::Usage => 2,
            Self::Run(Outcome::Failed(FailureKind::Deadline)) => 3,
            Self::Run(Outcome::Failed(FailureKind::Unreachable)) => 4,
            Self::Run(Outcome::Failed(FailureKind::Step)) => 5,
            Self::WouldChange => 6,
        }
    }

    /// What writing to stdout came to. A reader that has read enough (`| head`) is no failure.
    pub(super) fn written(result: &io::Result<()>) -> Self {
        match result {
            Ok(()) => Self::SUCCESS,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Self::SUCCESS,
            Err(error) => complain(Self::Local, &format!("cannot write: {error}")),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Says on stderr what went wrong, and gives the exit back.
pub(super) fn complain(exit: Exit, what: &str) -> Exit {
    note(what);
    exit
}

/// Says on stderr what is worth knowing beside the run itself.
pub(super) fn note(what: &str) {
    // Where stderr is gone too there is nobody to tell; the exit code still says it.
    let _ = writeln!(io::stderr(), "kfleet: {what}");
}

/// [`Exit::code`] for help texts and manual pages; a macro, so that they can be put together at compile time.
macro_rules! statuses {
    () => {
        "Exit status:
  0  all is as it should be
  1  something on this machine went wrong: a file, a lock, a \"no\" at a prompt
  2  the command line or the inventory is wrong; no host was touched
  3  a deadline passed, or the run was interrupted
  4  a host could not be reached, verified or authenticated
  5  a remote command or step failed, or preflight found an error
  Where several hold, 3 comes before 4, and 4 before 5."
    };
}
pub(super) use statuses;

#[cfg(test)]
mod tests {
    use crate::events::FailureKind::{Deadline, Local, Step, Unreachable};
    use crate::events::{FailureKind, Outcome};

    use super::Exit;

    #[test]
    fn the_worst_failure_names_the_code() {
        let cases: [(&[FailureKind], u8); 7] = [
            (&[], 0),
            (&[Local], 1),
            (&[Step, Step], 5),
            (&[Step, Unreachable], 4),
            (&[Unreachable, Deadline, Step], 3),
            (&[Local, Step], 5),
            (&[Deadline], 3),
        ];
        for (failures, code) in cases {
            assert_eq!(Exit::Run(Outcome::of(failures.iter().copied())).code(), code, "{failures:?}");
        }
    }
}
