use super::fleet::Fleet;
use crate::doctor::Finding;
use crate::doctor::enumeration::enumeration;
use crate::events::Severity::Warning;
use crate::facts::Firewall;

/// firewalld runs where it is installed; elsewhere kfleet opens nothing, and never starts it unasked.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    let stopped = fleet.hosts.iter().filter(|(_, facts)| facts.firewall == Firewall::Stopped);
    let stopped: Vec<&str> = stopped.map(|(host, _)| host.name.as_str()).collect();
    if stopped.is_empty() || !fleet.inventory.firewall.manage {
        return Vec::new();
    }
    let reason =
        format!("firewalld is installed and not running on {}: kfleet opens nothing there", enumeration(&stopped));
    let hint = "start it and run this again, or what it lets through later will not have Kubernetes' ports in it";
    vec![Finding::of_fleet(Warning, "firewalld-stopped", reason).with_hint(hint)]
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};
    use crate::facts::Firewall::{Absent, Stopped};

    const CASES: [Case; 3] = [
        ("stopped on two", |_, hosts| {
            sample::of(hosts, "h1").firewall = Stopped;
            sample::of(hosts, "h3").firewall = Stopped;
        }),
        ("stopped, and none of kfleet's business", |inventory, hosts| {
            inventory.firewall.manage = false;
            sample::of(hosts, "h1").firewall = Stopped;
        }),
        ("absent", |_, hosts| sample::of(hosts, "h1").firewall = Absent),
    ];

    #[test]
    fn firewalld_runs_where_it_is() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
