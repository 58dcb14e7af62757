use super::fleet::Fleet;
use crate::doctor::Finding;
use crate::doctor::enumeration::enumeration;
use crate::events::Severity::Warning;
use crate::facts::Firewall;
use crate::inventory::CniPlugin;

/// What is known against the pod network that the inventory wants.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    let finding = match fleet.inventory.cluster.cni.plugin {
        CniPlugin::Flannel => None,
        CniPlugin::Calico => calico(fleet),
        CniPlugin::Weave => Some(
            Finding::of_fleet(Warning, "cni-archived", "weave has been archived since June 2024: nobody mends it")
                .with_hint("plugin = \"flannel\" in [cluster.cni] for a new cluster"),
        ),
    };
    finding.into_iter().collect()
}

fn calico(fleet: &Fleet<'_>) -> Option<Finding> {
    let running = fleet.hosts.iter().filter(|(_, facts)| matches!(facts.firewall, Firewall::Running { .. }));
    let running: Vec<&str> = running.map(|(host, _)| host.name.as_str()).collect();
    if running.is_empty() {
        return None;
    }
    let reason = format!(
        "firewalld runs on {}, and calico's documentation advises against it: both write the same rules",
        enumeration(&running)
    );
    Some(Finding::of_fleet(Warning, "calico-firewalld", reason))
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};
    use crate::facts::Firewall::Absent;
    use crate::inventory::CniPlugin::{Calico, Weave};

    const CASES: [Case; 3] = [
        ("calico with firewalld", |inventory, hosts| {
            inventory.cluster.cni.plugin = Calico;
            sample::of(hosts, "h3").firewall = Absent;
        }),
        ("calico without", |inventory, hosts| {
            inventory.cluster.cni.plugin = Calico;
            hosts.values_mut().for_each(|facts| facts.firewall = Absent);
        }),
        ("weave", |inventory, _| inventory.cluster.cni.plugin = Weave),
    ];

    #[test]
    fn what_is_known_against_a_pod_network_is_said() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
