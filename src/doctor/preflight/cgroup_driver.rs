use super::fleet::{Fleet, is_member};
use super::kubelet_configuration::KubeletConfiguration;
use super::runtime::{by_dockershim, chosen, name};
use crate::cluster::CgroupDriver;
use crate::doctor::Finding;
use crate::events::Severity::Error;
use crate::facts::{Facts, Runtime, RuntimeKind};
use crate::inventory::Host;

/// Up to here kubeadm asks Docker for its driver and gives the kubelet the same.
const LAST_TO_ASK_DOCKER: u64 = 21;

/// From here on the kubelet asks its runtime (KEP-4033, on by default), if that can answer.
const FIRST_TO_ASK_RUNTIME: u64 = 31;

/// Kubelet and runtime make cgroups in the same way; otherwise pods do not start, or die of it later.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    fleet.hosts.iter().filter_map(|(host, facts)| of_host(fleet, host, facts)).collect()
}

fn of_host(fleet: &Fleet<'_>, host: &Host, facts: &Facts) -> Option<Finding> {
    let runtime = chosen(fleet, host, facts).ok()??;
    if agree_by_themselves(facts, runtime) {
        return None;
    }
    let (kubelet, why) = of_kubelet(fleet, facts)?;
    let driver = of_runtime(runtime)?;
    if driver == kubelet {
        return None;
    }
    let reason = format!("{} makes cgroups by {driver}, the kubelet by {kubelet} ({why})", name(runtime.kind));
    Some(Finding::of_host(&host.name, Error, "cgroup-driver", reason).with_hint(hint(runtime, &kubelet)))
}

fn agree_by_themselves(facts: &Facts, runtime: &Runtime) -> bool {
    let kubeadm_asks = by_dockershim(facts)
        && facts.packages.kubeadm.as_ref().is_some_and(|kubeadm| kubeadm.minor <= LAST_TO_ASK_DOCKER);
    let kubelet_asks = facts.packages.kubelet.as_ref().is_some_and(|kubelet| kubelet.minor >= FIRST_TO_ASK_RUNTIME);
    match runtime.kind {
        RuntimeKind::Docker => kubeadm_asks,
        RuntimeKind::Containerd => kubelet_asks && release(runtime) >= Some((2, 0)),
        RuntimeKind::Crio => kubelet_asks && release(runtime) >= Some((1, 28)),
    }
}

/// What the kubelet of this host uses or will use, and what says so.
fn of_kubelet(fleet: &Fleet<'_>, facts: &Facts) -> Option<(String, String)> {
    let own = is_member(facts).then_some((facts, "its /var/lib/kubelet/config.yaml"));
    let clusters = || fleet.living().map(|living| (living, "the cluster's configuration"));
    if let Some((facts, why)) = own.or_else(clusters) {
        // The kubelet's own default stands where its configuration says nothing.
        let driver = facts.kubelet_cgroup_driver.clone();
        return Some((driver.unwrap_or_else(|| CgroupDriver::Cgroupfs.to_string()), why.to_owned()));
    }
    if let Some(driver) = KubeletConfiguration::among(&fleet.inventory.cluster.kubeadm_documents).cgroup_driver {
        return Some((driver, "kubeadm_documents".to_owned()));
    }
    let kubeadm = fleet.control_plane().unwrap_or(facts).packages.kubeadm.as_ref()?;
    Some((CgroupDriver::default_of(kubeadm).to_string(), format!("kubeadm {kubeadm}'s default")))
}

/// What it says, else what it does unless told; Docker's default hangs on the kernel.
fn of_runtime(runtime: &Runtime) -> Option<String> {
    runtime.cgroup_driver.clone().or_else(|| match runtime.kind {
        RuntimeKind::Containerd => Some(CgroupDriver::Cgroupfs.to_string()),
        RuntimeKind::Crio => Some(CgroupDriver::Systemd.to_string()),
        RuntimeKind::Docker => None,
    })
}

fn hint(runtime: &Runtime, kubelet: &str) -> String {
    let set = match runtime.kind {
        RuntimeKind::Containerd => {
            let plugin = if release(runtime) >= Some((2, 0)) {
                "io.containerd.cri.v1.runtime"
            } else {
                "io.containerd.grpc.v1.cri"
            };
            format!(
                "in /etc/containerd/config.toml there, under [plugins.\"{plugin}\".containerd.runtimes.runc.options]: \
                 SystemdCgroup = {}; then `systemctl restart containerd`",
                kubelet == "systemd"
            )
        }
        RuntimeKind::Docker => format!(
            "in /etc/docker/daemon.json there: \"exec-opts\": [\"native.cgroupdriver={kubelet}\"]; then `systemctl \
             restart docker`"
        ),
        RuntimeKind::Crio => {
            let conmon = if kubelet == "systemd" { "" } else { " and conmon_cgroup = \"pod\"" };
            format!(
                "in /etc/crio/crio.conf there, under [crio.runtime]: cgroup_manager = \"{kubelet}\"{conmon}; then \
                 `systemctl restart crio`"
            )
        }
    };
    if kubelet == "systemd" {
        set
    } else {
        format!("{set}; or, in a new cluster, a KubeletConfiguration with `cgroupDriver: systemd` in kubeadm_documents")
    }
}

/// Major and minor of a version in the runtime's own words, as `containerd containerd.io 1.6.28 ae07eda…` or `v2.0.1`.
fn release(runtime: &Runtime) -> Option<(u64, u64)> {
    runtime.version.as_ref()?.split_whitespace().find_map(|word| {
        let mut numbers = word.trim_start_matches('v').split(['.', '-', '+', '~']);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::release;
    use crate::doctor::sample::{self, Case, Hosts};
    use crate::facts::RuntimeKind::{Containerd, Crio, Docker};
    use crate::facts::{Runtime, RuntimeKind};

    /// Every host of this Kubernetes with this runtime.
    fn set(hosts: &mut Hosts, minor: u64, kind: RuntimeKind, driver: Option<&str>) {
        for facts in hosts.values_mut() {
            sample::install(facts, &Version::new(1, minor, 0));
            facts.runtimes =
                vec![Runtime { cgroup_driver: driver.map(str::to_owned), pause_image: None, ..sample::runtime(kind) }];
        }
    }

    const CASES: [Case; 15] = [
        ("1.21 and containerd by systemd", |_, hosts| set(hosts, 21, Containerd, Some("systemd"))),
        ("1.22 and containerd by cgroupfs", |_, hosts| set(hosts, 22, Containerd, Some("cgroupfs"))),
        ("1.22 and containerd that says nothing", |_, hosts| set(hosts, 22, Containerd, None)),
        ("1.22 and containerd by systemd", |_, hosts| set(hosts, 22, Containerd, Some("systemd"))),
        ("1.21 and CRI-O that says nothing", |_, hosts| set(hosts, 21, Crio, None)),
        ("1.21 asks Docker", |_, hosts| set(hosts, 21, Docker, Some("systemd"))),
        ("1.22 does not", |_, hosts| set(hosts, 22, Docker, Some("cgroupfs"))),
        ("1.22 and Docker that says nothing", |_, hosts| set(hosts, 22, Docker, None)),
        ("1.30 and containerd 2", |_, hosts| {
            set(hosts, 30, Containerd, None);
            hosts.values_mut().for_each(|facts| facts.runtimes[0].version = Some("v2.0.1".into()));
        }),
        ("1.31 asks containerd 2", |_, hosts| {
            set(hosts, 31, Containerd, None);
            hosts.values_mut().for_each(|facts| facts.runtimes[0].version = Some("v2.0.1".into()));
        }),
        ("1.31 cannot ask containerd 1.7", |_, hosts| set(hosts, 31, Containerd, None)),
        ("the inventory's own document", |inventory, hosts| {
            set(hosts, 21, Containerd, Some("systemd"));
            inventory.cluster.kubeadm_documents.push("kind: KubeletConfiguration\ncgroupDriver: systemd\n".into());
        }),
        ("against the inventory's own document", |inventory, hosts| {
            set(hosts, 22, Containerd, Some("systemd"));
            inventory.cluster.kubeadm_documents.push("kind: KubeletConfiguration\ncgroupDriver: cgroupfs\n".into());
        }),
        ("members by what they have", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").kubelet_cgroup_driver = Some("systemd".into());
            sample::of(hosts, "h3").kubelet_cgroup_driver = None;
        }),
        ("a new worker by what the cluster has", |_, hosts| {
            *hosts = sample::joined();
            for facts in hosts.values_mut() {
                facts.kubelet_cgroup_driver = Some("systemd".into());
                facts.runtimes[0].cgroup_driver = Some("systemd".into());
            }
            hosts.insert("h3".into(), sample::host(3));
        }),
    ];

    #[test]
    fn kubelet_and_runtime_make_cgroups_in_one_way() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }

    #[test]
    fn a_version_is_read_in_its_own_words() {
        for (words, expected) in [
            ("containerd containerd.io 1.6.28 ae07eda36dd25f8a1b98dfbf587313b99c0190bb", Some((1, 6))),
            ("v2.0.1", Some((2, 0))),
            ("1.6.20~ds1", Some((1, 6))),
            ("crio version 1.28.0-dev", Some((1, 28))),
            ("unknown", None),
        ] {
            let runtime = Runtime { version: Some(words.into()), ..sample::runtime(Containerd) };
            assert_eq!(release(&runtime), expected, "{words}");
        }
    }
}
