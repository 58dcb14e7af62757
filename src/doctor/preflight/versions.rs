use semver::Version;

use super::fleet::{Fleet, is_member};
use crate::cluster::{ConfigApi, Skew, check_kubeadm, check_kubeadm_with_kubelet, check_kubelet};
use crate::doctor::Finding;
use crate::events::Severity::{Error, Warning};
use crate::facts::Facts;
use crate::inventory::{Host, KubernetesVersion, Role};

/// Kubernetes' programs are there, and their versions go together.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    fleet.hosts.iter().flat_map(|(host, facts)| of_host(fleet, host, facts)).collect()
}

fn of_host(fleet: &Fleet<'_>, host: &Host, facts: &Facts) -> Vec<Finding> {
    let mut findings = missing(fleet, host, facts);
    let error = |reason: String| Finding::of_host(&host.name, Error, "version-skew", reason);
    let (kubeadm, kubelet) = (facts.packages.kubeadm.as_ref(), facts.packages.kubelet.as_ref());
    // A node that is one needs its kubeadm no more.
    let kubeadm = kubeadm.filter(|_| !is_member(facts));
    let kubernetes = fleet.kubernetes();
    let install =
        |program: &str, version: &Version| format!("install {program} {}.{} there", version.major, version.minor);
    if let Some(error_of_api) = kubeadm.and_then(|kubeadm| ConfigApi::of(kubeadm).err()) {
        findings.push(
            Finding::of_host(&host.name, Error, "kubeadm-unknown", error_of_api.to_string())
                .with_hint("install kubeadm 1.15 or later there"),
        );
    } else if let (Some(kubeadm), Some(kubernetes)) = (kubeadm, kubernetes)
        && let Err(skew) = check_kubeadm(kubeadm, kubernetes)
    {
        findings.push(error(skew.to_string()).with_hint(install("kubeadm", kubernetes)));
    }
    let fitting = kubeadm.filter(|_| findings.is_empty());
    let unfit = kubelet.and_then(|kubelet| of_kubelet(fleet, kubelet, fitting));
    findings.extend(unfit.map(|(skew, wanted)| error(skew.to_string()).with_hint(install("kubelet", wanted))));
    if findings.is_empty()
        && let Some(kubelet) = kubelet
        && let KubernetesVersion::Exactly(wanted) = &fleet.inventory.cluster.kubernetes
        && kubelet != wanted
    {
        let reason = format!("kubelet {kubelet} is not the {wanted} of the inventory, though they go together");
        findings.push(Finding::of_host(&host.name, Warning, "version-differs", reason));
    }
    findings
}

/// What is wrong with a kubelet, and the version it is to go with.
fn of_kubelet<'a>(fleet: &Fleet<'a>, kubelet: &Version, kubeadm: Option<&'a Version>) -> Option<(Skew, &'a Version)> {
    let with_api = fleet.kubernetes().and_then(|api| Some((check_kubelet(kubelet, api).err()?, api)));
    let kubeadm = kubeadm.filter(|_| !fleet.ignores("KubeletVersion"));
    with_api
        .or_else(|| kubeadm.and_then(|kubeadm| Some((check_kubeadm_with_kubelet(kubeadm, kubelet).err()?, kubeadm))))
}

fn missing(fleet: &Fleet<'_>, host: &Host, facts: &Facts) -> Vec<Finding> {
    let error = |check, reason: &str, hint: String| Finding::of_host(&host.name, Error, check, reason).with_hint(hint);
    let install = |program: &str| {
        let version = fleet.kubernetes().map(|version| format!(" {}.{}", version.major, version.minor));
        let packager = if facts.os.starts_with("debian") || facts.os.starts_with("ubuntu") { "apt-get" } else { "dnf" };
        let version = version.unwrap_or_default();
        format!("install {program}{version} there: `{packager} install {program}`, from pkgs.k8s.io for 1.24 and later")
    };
    let mut findings = Vec::new();
    if facts.packages.kubeadm.is_none() {
        findings.push(error("kubeadm-missing", "kubeadm is not installed", install("kubeadm")));
    }
    if facts.packages.kubelet.is_none() {
        findings.push(error("kubelet-missing", "kubelet is not installed", install("kubelet")));
    } else if !facts.kubelet.exists {
        let hint = "install kubelet and kubeadm as packages: their unit and its kubeadm drop-in come with them";
        findings.push(error("kubelet-missing", "kubelet is there, its unit kubelet.service is not", hint.into()));
    }
    if host.role == Role::ControlPlane && facts.packages.kubectl.is_none() {
        let reason = "kubectl is not installed, and kfleet applies manifests with it";
        findings.push(error("kubectl-missing", reason, install("kubectl")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use crate::doctor::sample::{self, Case};
    use crate::facts::Facts;
    use crate::inventory::KubernetesVersion::Exactly;

    fn install(facts: &mut Facts, kubeadm: u64, kubelet: u64) {
        facts.packages.kubeadm = Some(Version::new(1, kubeadm, 2));
        facts.packages.kubelet = Some(Version::new(1, kubelet, 2));
    }

    const CASES: [Case; 14] = [
        ("nothing installed", |_, hosts| {
            sample::of(hosts, "h1").packages = crate::facts::Packages::default();
            sample::of(hosts, "h2").packages = crate::facts::Packages::default();
            sample::of(hosts, "h2").os = "centos 7".into();
        }),
        ("kubectl on a worker is nobody's wish", |_, hosts| sample::of(hosts, "h2").packages.kubectl = None),
        ("kubelet without a unit", |_, hosts| sample::of(hosts, "h2").kubelet = crate::facts::Unit::default()),
        ("kubelet newer than the API server", |_, hosts| install(sample::of(hosts, "h2"), 21, 21)),
        ("a kubeadm one newer joins with the old kubelet", |_, hosts| install(sample::of(hosts, "h2"), 21, 20)),
        ("a kubeadm two newer does not", |_, hosts| install(sample::of(hosts, "h2"), 22, 20)),
        ("an older kubeadm does not", |_, hosts| install(sample::of(hosts, "h2"), 19, 19)),
        ("a kubelet too old for kubeadm, not for the API server", |_, hosts| install(sample::of(hosts, "h2"), 20, 18)),
        ("the same, ignored", |inventory, hosts| {
            install(sample::of(hosts, "h2"), 20, 18);
            inventory.cluster.ignore_preflight_errors.push("kubeletversion".into());
        }),
        ("a kubeadm without a known configuration API", |_, hosts| {
            for facts in hosts.values_mut() {
                install(facts, 14, 14);
            }
        }),
        ("wanted one older than kubeadm", |inventory, _| {
            inventory.cluster.kubernetes = Exactly(Version::new(1, 19, 7));
        }),
        ("wanted newer than kubeadm", |inventory, _| inventory.cluster.kubernetes = Exactly(Version::new(1, 21, 0))),
        ("another patch than wanted", |inventory, _| inventory.cluster.kubernetes = Exactly(Version::new(1, 20, 4))),
        ("a member's kubeadm is not asked", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").packages.kubeadm = Some(Version::new(1, 23, 0));
        }),
    ];

    #[test]
    fn versions_go_together() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
