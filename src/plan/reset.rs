use crate::doctor::{Finding, Stops};
use crate::events::Severity;
use crate::facts::{Facts, Wanted};
use crate::inventory::{Host, Inventory, Role};
use crate::steps::NoRecord;

use super::undo::Undo;
use super::{Expectation, Fleet, Plan, Recipe, Wave, Workstation};

/// `kfleet reset`: the whole fleet back to before `up`, the workers first.
pub struct Reset {
    inventory: Inventory,
    workstation: Workstation,
}

impl Reset {
    /// The recipe for an inventory.
    #[must_use]
    pub fn new(inventory: Inventory, workstation: Workstation) -> Self {
        Self { inventory, workstation }
    }

    fn undo(&self) -> Undo<'_> {
        Undo::new(&self.inventory, self.workstation.kubeconfig.as_ref())
    }

    fn wave(&self, fleet: &Fleet, role: Role) -> Wave {
        let undo = self.undo();
        let ca = undo.ca(fleet);
        let hosts = self.inventory.hosts.iter().filter(|host| host.role == role);
        let hosts =
            hosts.filter_map(|host| Some(undo.host_plan(host, fleet.get(&host.name)?, ca.as_deref()))).collect();
        // A worker that is left over is reset by a later run, which needs no control plane for that.
        Wave { hosts, may_fail: usize::MAX }
    }

    fn host(&self, name: &str) -> Option<&Host> {
        self.inventory.hosts.iter().find(|host| host.name == name)
    }
}

impl Recipe for Reset {
    fn command(&self) -> &'static str {
        "reset"
    }

    fn rehearsal(&self) -> &'static str {
        "reset --dry-run"
    }

    fn wanted(&self, host: &str) -> Wanted {
        self.host(host).map(|host| self.undo().wanted(host)).unwrap_or_default()
    }

    fn preflight(&self, fleet: &Fleet) -> Vec<Finding> {
        let hosts = self.inventory.hosts.iter().filter_map(|host| Some((host, fleet.get(&host.name)?)));
        hosts.flat_map(|(host, facts)| Undo::unknown(host, facts).into_iter().chain(backups(host, facts))).collect()
    }

    fn stops(&self, finding: &Finding) -> Stops {
        finding.stops(&self.inventory)
    }

    fn plan(&self, fleet: &Fleet) -> Plan {
        Plan { waves: vec![self.wave(fleet, Role::Worker), self.wave(fleet, Role::ControlPlane)], ca: None }
    }

    fn expectation(&self, _fleet: &Fleet) -> Option<Expectation> {
        None
    }
}

/// What could be had back of the cluster until now.
fn backups(host: &Host, facts: &Facts) -> Option<Finding> {
    let lost = NoRecord::lost(facts);
    (!lost.is_empty()).then(|| {
        let reason = format!("/var/lib/kfleet goes, with {}", lost.join(", and "));
        Finding::of_host(&host.name, Severity::Warning, "backups", reason)
            .with_hint("copy from there what may be needed again, as by `kfleet fetch --sudo`")
    })
}
