use crate::facts::{Facts, File};

use super::Change;

/// Why a host cannot be touched, for the person at the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is in the way.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
}

impl From<Refusal> for Change {
    fn from(Refusal { reason, hint }: Refusal) -> Self {
        Self::Refused { reason, hint }
    }
}

/// What the file at `path` holds; `None` where there is no such file.
///
/// # Errors
/// When it is there and cannot be read, or was never asked for: neither may be taken for an absent file, since what is
/// there would be overwritten.
pub(super) fn read<'a>(facts: &'a Facts, path: &str) -> Result<Option<&'a str>, Refusal> {
    match facts.files.get(path) {
        Some(File::Present { contents, .. }) => Ok(Some(contents)),
        Some(File::Absent) => Ok(None),
        Some(File::Unreadable { reason }) => Err(Refusal {
            reason: format!("{path} cannot be read: {reason}"),
            hint: format!("look at {path} on the host and move it away or mend it; kfleet leaves it as it is"),
        }),
        None => Err(Refusal {
            reason: format!("{path} was not read"),
            hint: "run the same command again; if this stays, please report it".to_owned(),
        }),
    }
}
