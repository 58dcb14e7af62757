use super::fleet::{Fleet, is_member};
use super::runtime::{by_dockershim, chosen};
use crate::doctor::Finding;
use crate::events::Severity::{Error, Warning};
use crate::facts::{Facts, RuntimeKind};
use crate::inventory::Host;

/// crictl is there where kubeadm asks for it: it refuses to go on without up to 1.30, warns in 1.31, then needs it no
/// more (kubernetes/kubeadm#3064).
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    fleet.hosts.iter().filter_map(|(host, facts)| of_host(fleet, host, facts)).collect()
}

fn of_host(fleet: &Fleet<'_>, host: &Host, facts: &Facts) -> Option<Finding> {
    let kubeadm = facts.packages.kubeadm.as_ref().filter(|_| !facts.crictl && !is_member(facts))?;
    let severity = match kubeadm.minor {
        ..=30 if !fleet.ignores("FileExisting-crictl") => Error,
        ..=31 => Warning,
        _ => return None,
    };
    let runtime = chosen(fleet, host, facts).ok().flatten();
    if by_dockershim(facts) && runtime.is_some_and(|runtime| runtime.kind == RuntimeKind::Docker) {
        return None;
    }
    let reason = match severity {
        Error => format!("crictl is not in its path, and kubeadm {kubeadm} does nothing without"),
        Warning => format!("crictl is not in its path, and kubeadm {kubeadm} asks for it"),
    };
    Some(
        Finding::of_host(&host.name, severity, "crictl-missing", reason)
            .with_hint("install cri-tools there, or name \"FileExisting-crictl\" in ignore_preflight_errors"),
    )
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use crate::doctor::sample::{self, Case, Hosts};
    use crate::facts::RuntimeKind::Docker;

    fn without(hosts: &mut Hosts, minor: u64) {
        for facts in hosts.values_mut() {
            sample::install(facts, &Version::new(1, minor, 0));
            facts.runtimes[0].pause_image = None;
            facts.runtimes[0].cgroup_driver = Some(if minor < 22 { "cgroupfs" } else { "systemd" }.into());
        }
        sample::of(hosts, "h2").crictl = false;
    }

    const CASES: [Case; 6] = [
        ("1.20", |_, hosts| without(hosts, 20)),
        ("1.20, ignored", |inventory, hosts| {
            without(hosts, 20);
            inventory.cluster.ignore_preflight_errors.push("FileExisting-crictl".into());
        }),
        ("1.20 with Docker", |_, hosts| {
            without(hosts, 20);
            sample::of(hosts, "h2").runtimes = vec![sample::runtime(Docker)];
        }),
        ("1.31", |_, hosts| without(hosts, 31)),
        ("1.32", |_, hosts| without(hosts, 32)),
        ("a member", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").crictl = false;
        }),
    ];

    #[test]
    fn crictl_is_there_where_kubeadm_asks_for_it() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
