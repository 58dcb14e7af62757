use std::net::IpAddr;

use crate::base::printable;
use crate::facts::{self, Facts, Wanted};
use crate::inventory::PortRange;

use super::difference::Difference;
use super::firewall_edits::FirewallEdits;
use super::firewall_plan::{FirewallPlan, TRUSTED};
use super::firewall_rule::{FirewallRule, Scope, zone_of};
use super::refusal::Refusal;
use super::{Change, Record, Step};

/// firewalld lets through what the host's role needs, in force now and after its next start.
///
/// It is never reloaded, since that flushes kube-proxy's rules and every Service is dead until they are back; and never
/// started, since somebody chose that it does not run. Ports that kfleet opened, by the host's record, and that are no
/// longer wanted are closed again; everything else in a zone is somebody else's and stays.
#[derive(Debug, Clone)]
pub struct Firewall {
    /// Whether firewalld is touched at all.
    pub manage: bool,
    /// The zone to open ports in; else that of the interface with the host's address, else the default zone.
    pub zone: Option<String>,
    /// The host's address, where it is known.
    pub address: Option<IpAddr>,
    /// Ports that other hosts need to reach.
    pub ports: Vec<PortRange>,
    /// Protocols without ports, such as `ipip`.
    pub protocols: Vec<String>,
    /// The pod network's interfaces, to be in zone `trusted` before they exist.
    pub pod_interfaces: Vec<String>,
}

impl Firewall {
    fn difference(&self, facts: &Facts) -> Result<Change, Refusal> {
        let firewall = match &facts.firewall {
            _ if !self.manage => return Ok(Change::none("left alone, as the inventory says")),
            facts::Firewall::Absent => return Ok(Change::none("firewalld is not installed: no port was opened")),
            facts::Firewall::Stopped => {
                return Ok(Change::none(
                    "firewalld is installed and does not run: it was not started, no port was opened",
                ));
            }
            facts::Firewall::Unknown { reason } => return Err(unknown(reason)),
            running @ facts::Firewall::Running { .. } => running,
        };
        let zone = self.zone_on(facts);
        let record = Record::of(facts)?;
        let ours: Vec<_> = record.entries().filter_map(|entry| FirewallRule::of_record(&entry)).collect();
        let mut change = Difference::default();
        let mut edits = FirewallEdits::default();
        for scope in [Scope::Runtime, Scope::Permanent] {
            if zone_of(firewall, scope, zone).is_none() {
                return Err(no_such_zone(zone, scope));
            }
            let plan = FirewallPlan { firewall, scope, ours: &ours, wanted: self, zone };
            change.record.append(&mut plan.edit(&mut edits));
        }
        change.diff = edits.diff();
        change.actions = edits.actions();
        Ok(change.or_none(format!("zone {zone} lets through what is needed, at run time and permanently")))
    }

    /// The zone to open ports in.
    fn zone_on<'a>(&'a self, facts: &'a Facts) -> &'a str {
        let facts::Firewall::Running { default_zone, interface_zones, .. } = &facts.firewall else { return "" };
        let interface = self.address.and_then(|address| facts.interface_of(address));
        let bound = interface.and_then(|interface| interface_zones.get(&interface.name));
        self.zone.as_ref().or(bound).unwrap_or(default_zone)
    }
}

impl Step for Firewall {
    fn name(&self) -> &'static str {
        "firewall"
    }

    fn probe(&self) -> Wanted {
        if !self.manage {
            return Wanted::default();
        }
        let zones = self.zone.iter().map(String::as_str).chain([TRUSTED]).map(ToOwned::to_owned).collect();
        Record::wanted().and(Wanted { zones, ..Wanted::default() })
    }

    fn plan(&self, facts: &Facts) -> Change {
        self.difference(facts).unwrap_or_else(Change::from)
    }
}

pub(super) fn unknown(reason: &str) -> Refusal {
    Refusal {
        reason: format!("firewalld is there and cannot be asked: {}", printable(reason)),
        hint: "try `firewall-cmd --list-all-zones` on the host; `manage = false` in [firewall] leaves it alone"
            .to_owned(),
    }
}

fn no_such_zone(zone: &str, scope: Scope) -> Refusal {
    match scope {
        Scope::Runtime => Refusal {
            reason: format!("firewalld has no zone {zone} in force"),
            hint: format!(
                "is the zone right in [firewall]? One that was just made, by `firewall-cmd --permanent --new-zone={zone}`, \
                 is there after firewalld's next start or reload, which kfleet leaves to you"
            ),
        },
        Scope::Permanent => Refusal {
            reason: format!("firewalld has no zone {zone} in its permanent configuration"),
            hint: format!("make it by `firewall-cmd --permanent --new-zone={zone}`, or set another one in [firewall]"),
        },
    }
}
