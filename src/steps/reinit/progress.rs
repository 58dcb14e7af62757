use std::net::IpAddr;

use crate::facts::{Facts, Wanted};

use super::kept::kept;

/// How far a change of address has come on a control plane, by its own record there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReinitProgress {
    /// The addresses that it began with.
    pub from: Vec<IpAddr>,
    /// The address that it goes to.
    pub to: IpAddr,
    /// Where what was before is kept.
    pub backup: String,
    /// The backup that it puts back, where it is a rollback.
    pub restores: Option<String>,
    /// Whether it came to its end.
    pub done: bool,
}

impl ReinitProgress {
    /// Where a control plane has it.
    pub const PATH: &str = "/var/lib/kfleet/reinit/change";

    /// What must be read of a host for [`of`](Self::of).
    #[must_use]
    pub fn wanted() -> Wanted {
        Wanted { files: [Self::PATH.to_owned()].into(), ..Wanted::default() }
    }

    /// That of a control plane; `None` where no address was ever changed, or nothing whole is known of it.
    #[must_use]
    pub fn of(facts: &Facts) -> Option<Self> {
        let value = kept(facts, Self::PATH)?;
        Some(Self {
            from: value("from")?.split_whitespace().filter_map(|word| word.parse().ok()).collect(),
            to: value("to")?.parse().ok()?,
            backup: value("backup")?.to_owned(),
            restores: value("restore").filter(|backup| !backup.is_empty()).map(str::to_owned),
            done: value("state")? == "done",
        })
    }
}
