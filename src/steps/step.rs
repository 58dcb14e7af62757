use crate::facts::{Facts, Wanted};

use super::Change;

/// A state that a host should be in, named after it.
pub trait Step: Send + Sync {
    /// Its name in reports, as `hosts-file`.
    fn name(&self) -> &'static str;

    /// What must be read of the host before [`plan`](Self::plan) can tell.
    fn probe(&self) -> Wanted {
        Wanted::default()
    }

    /// What lies between the host as it is and the state.
    ///
    /// After its actions ran, a new probe and a new plan say [`Change::None`].
    fn plan(&self, facts: &Facts) -> Change;
}
