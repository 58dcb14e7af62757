use thiserror::Error;

/// Why a host's answer to the probe is no answer.
///
/// The texts are fragments that fit "failed to read the host's facts: …".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FactsError {
    /// Something else answered: a login shell's complaint, a forced command, nothing at all.
    #[error("the probe did not run there{}", heard(.0))]
    NotRun(String),
    /// The answer stops before its end.
    #[error("the probe's answer ends after `{last}`")]
    Truncated {
        /// The last answer that was begun.
        last: String,
    },
    /// The host has no room for the probe's temporary files.
    #[error("none of /run, /dev/shm, /tmp and /var/tmp can be written to")]
    NoPlace,
}

impl FactsError {
    /// What the person at the keyboard can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotRun(_) => "does `ssh HOST true` print anything, and is root's shell there a POSIX one?",
            Self::Truncated { .. } => "run the same command again: a probe changes nothing",
            Self::NoPlace => "is a disk full, or mounted read-only? see `df` and `mount` there",
        }
    }
}

fn heard(line: &str) -> String {
    if line.is_empty() { ": it answered nothing".to_owned() } else { format!(": it answered \"{line}\"") }
}
