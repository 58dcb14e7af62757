use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who holds the lock of a cluster, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its user on its workstation.
    pub user: String,
    /// Its workstation's name.
    pub workstation: String,
    /// The command, as `up`.
    pub command: String,
    /// When the run began, by the workstation's clock.
    pub since: Timestamp,
    /// The run's number in that workstation's history.
    pub run: Option<u32>,
}

impl Holder {
    /// Whether this is the same person at the same workstation, perhaps in another run.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        (&self.user, &self.workstation) == (&other.user, &other.workstation)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, workstation, command, since, run } = self;
        write!(f, "{user} on {workstation}, by `kfleet {command}` of {}", since.strftime("%Y-%m-%d %H:%M:%S UTC"))?;
        run.map_or(Ok(()), |run| write!(f, ", run {run} there"))
    }
}
