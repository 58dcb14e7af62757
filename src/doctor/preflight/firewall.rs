use super::fleet::Fleet;
use crate::doctor::Finding;
use crate::doctor::enumeration::enumeration;
use crate::events::Severity::{Error, Warning};
use crate::facts::Firewall;

/// firewalld runs and answers where it is installed. Where it does not run kfleet opens nothing, and never starts it
/// unasked; one that runs and cannot be asked would keep the cluster's ports shut unseen.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    if !fleet.inventory.firewall.manage {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let stopped = fleet.hosts.iter().filter(|(_, facts)| facts.firewall == Firewall::Stopped);
    let stopped: Vec<&str> = stopped.map(|(host, _)| host.name.as_str()).collect();
    if !stopped.is_empty() {
        let names = enumeration(&stopped);
        let reason = format!("firewalld is installed and not running on {names}: kfleet opens nothing there");
        let hint = "start it and run this again, or what it lets through later will not have Kubernetes' ports in it";
        findings.push(Finding::of_fleet(Warning, "firewalld-stopped", reason).with_hint(hint));
    }
    for (host, facts) in &fleet.hosts {
        if let Firewall::Unknown { reason } = &facts.firewall {
            let reason = format!("what its firewalld lets through is not known: {reason}");
            let hint =
                "`firewall-cmd --state` there must answer; or manage = false in [firewall] to see to it yourself";
            findings.push(Finding::of_host(&host.name, Error, "firewalld-unknown", reason).with_hint(hint));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};
    use crate::facts::Firewall::{Absent, Stopped, Unknown};

    const CASES: [Case; 4] = [
        ("stopped on two", |_, hosts| {
            sample::of(hosts, "h1").firewall = Stopped;
            sample::of(hosts, "h3").firewall = Stopped;
        }),
        ("stopped, and none of kfleet's business", |inventory, hosts| {
            inventory.firewall.manage = false;
            sample::of(hosts, "h1").firewall = Stopped;
        }),
        ("running, and it does not answer", |_, hosts| {
            sample::of(hosts, "h2").firewall = Unknown { reason: "no answer in time".into() };
        }),
        ("absent", |_, hosts| sample::of(hosts, "h1").firewall = Absent),
    ];

    #[test]
    fn firewalld_runs_where_it_is() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
