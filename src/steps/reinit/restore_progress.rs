use crate::facts::{Facts, Wanted};

use super::kept::kept;

/// How far a restore of etcd has come, by the control plane's own record of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreProgress {
    /// The restore's own, as `20261127T013000Z`: when it was begun.
    pub id: String,
    /// The directory of the backup whose snapshot it puts back.
    pub backup: String,
    /// `prepared`, `swapped`, `restored` when the control plane's part is over, `done`.
    pub state: String,
    /// The run that has seen it done, called as a restore that it had begun would be.
    pub done_by: Option<String>,
}

impl RestoreProgress {
    /// Where a control plane has it.
    pub const PATH: &str = "/var/lib/kfleet/reinit/restore";

    /// What must be read of a host for [`of`](Self::of).
    #[must_use]
    pub fn wanted() -> Wanted {
        Wanted { files: [Self::PATH.to_owned()].into(), ..Wanted::default() }
    }

    /// The last one of this control plane that has come to unpack its snapshot. Before that nothing is lost by beginning again.
    #[must_use]
    pub fn of(facts: &Facts) -> Option<Self> {
        let kept = kept(facts, Self::PATH)?;
        let value = |key: &str| kept(key).map(str::to_owned);
        Some(Self { id: value("id")?, backup: value("backup")?, state: value("state")?, done_by: value("done_by") })
    }

    /// Whether it came to its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == "done"
    }

    /// Whether the control plane's part is over, and workers follow.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        self.is_done() || self.state == "restored"
    }
}
