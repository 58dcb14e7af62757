use std::collections::BTreeMap;

use crate::doctor::{Finding, Stops};
use crate::facts::{Facts, Wanted};

use super::{Expectation, Plan};

/// The facts of every host that answered, by its name in the inventory.
pub type Fleet = BTreeMap<String, Facts>;

/// What a command wants of a fleet. The engine drives any of them the same way.
pub trait Recipe: Send + Sync {
    /// The command, as `up`.
    fn command(&self) -> &'static str;

    /// The command that only says what this one would do, as `plan`.
    fn rehearsal(&self) -> &'static str;

    /// What must be read of this host.
    fn wanted(&self, host: &str) -> Wanted;

    /// What is wrong with the fleet as it is, before anything is written.
    fn preflight(&self, fleet: &Fleet) -> Vec<Finding>;

    /// What such a finding stops.
    fn stops(&self, finding: &Finding) -> Stops;

    /// The host whose API server should answer and does not, as for a while after a boot. What hangs on the cluster can
    /// only be planned when it does; nothing of what mends such a server does.
    fn silent<'a>(&'a self, _fleet: &Fleet) -> Option<&'a str> {
        None
    }

    /// What is to be done on these hosts.
    fn plan(&self, fleet: &Fleet) -> Plan;

    /// What the cluster must show in the end, by the hosts that came through; `None` where there is nothing to wait for.
    fn expectation(&self, fleet: &Fleet) -> Option<Expectation>;
}
