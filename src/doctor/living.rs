use ipnet::IpNet;
use semver::Version;

use super::api_endpoint::{advertise_address, host_port};
use super::finding::Finding;
use crate::events::Severity;
use crate::facts::{ControlPlaneManifests, Facts};
use crate::inventory::{CniPlugin, Inventory, KubernetesVersion};

/// DaemonSets of pod networks, by the start of their names; canal is calico over flannel.
const NETWORKS: [(&str, &str); 9] = [
    ("kube-flannel", "flannel"),
    ("calico-node", "calico"),
    ("weave-net", "weave"),
    ("canal", "canal"),
    ("cilium", "cilium"),
    ("kube-router", "kube-router"),
    ("antrea-agent", "antrea"),
    ("ovnkube-node", "ovn-kubernetes"),
    ("kube-multus", "multus"),
];

const REINIT: &str = "`kfleet reinit` moves the cluster there; `kfleet reinit --plan` shows how";

/// Nothing else of the cluster has to be made anew for it.
const REINIT_PODS: &str = "by hand: `kubeadm init phase control-plane \
                           controller-manager --config` and `kubeadm init phase upload-config kubeadm --config`, with \
                           networking.podSubnet in the saved configuration";

const UPGRADE: &str = "`kfleet upgrade` (not in this version yet; by hand: install that kubeadm, `kubeadm upgrade \
                       plan`, then \
                       `kubeadm upgrade apply`)";

const ANEW: &str = "nothing changes that in place, it needs a new cluster: `kfleet reset`, then `kfleet up`";

/// Something that a living cluster has otherwise than the inventory wants it; `up` does not change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The finding's check, as `living-cluster-address`.
    pub check: &'static str,
    /// What differs, as `API address`.
    pub what: &'static str,
    /// As the inventory has it.
    pub wanted: String,
    /// As the cluster has it.
    pub found: String,
    /// The command that changes it, or that none does.
    pub command: String,
}

impl From<Difference> for Finding {
    /// An error of the fleet's: it stops the run.
    fn from(difference: Difference) -> Self {
        let Difference { check, what, wanted, found, command } = difference;
        let reason = format!("the living cluster's {what} is {found}; the inventory has {wanted}");
        Self::of_fleet(Severity::Error, check, reason).with_hint(command)
    }
}

/// Whether this control plane runs a cluster already: its static pods and its admin.conf are there.
#[must_use]
pub fn runs_cluster(control_plane: &Facts) -> bool {
    let state = &control_plane.kubeadm;
    state.manifests.is_some() && state.kubeconfigs.contains_key("admin")
}

/// What a living cluster has otherwise than the inventory wants it, from its files, so that it is known while no API
/// server answers; only another pod network plugin is not. Empty where the control plane runs no cluster.
///
/// A value that the files do not tell, or that the inventory leaves to what is installed, is no difference.
#[must_use]
pub fn differences(inventory: &Inventory, control_plane: &Facts) -> Vec<Difference> {
    let Some(manifests) = control_plane.kubeadm.manifests.as_ref().filter(|_| runs_cluster(control_plane)) else {
        return Vec::new();
    };
    let cluster = &inventory.cluster;
    let domain = control_plane.kubeadm.dns_domain.as_ref().filter(|domain| **domain != cluster.dns_domain);
    [
        address(inventory, manifests),
        manifests
            .port
            .filter(|port| *port != cluster.port)
            .map(|port| difference("living-cluster-port", "API port", cluster.port, port, ANEW)),
        endpoint(inventory, control_plane, manifests),
        pod_network(&cluster.pod_cidr, manifests),
        manifests.service_cidr.as_ref().filter(|found| !is_network(found, &cluster.service_cidr)).map(|found| {
            difference("living-cluster-service-network", "service network", cluster.service_cidr, found, ANEW)
        }),
        domain.map(|found| difference("living-cluster-dns-domain", "DNS domain", &cluster.dns_domain, found, ANEW)),
        version(&cluster.kubernetes, manifests),
        plugin(cluster.cni.plugin, control_plane),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn difference(
    check: &'static str,
    what: &'static str,
    wanted: impl ToString,
    found: impl ToString,
    command: &str,
) -> Difference {
    Difference { check, what, wanted: wanted.to_string(), found: found.to_string(), command: command.to_owned() }
}

fn address(inventory: &Inventory, manifests: &ControlPlaneManifests) -> Option<Difference> {
    let wanted = advertise_address(inventory)?;
    let found = manifests.advertise_address.as_ref().filter(|found| found.parse() != Ok(wanted))?;
    Some(difference("living-cluster-address", "API address", wanted, found, REINIT))
}

/// What admin.conf asks is the endpoint, or the address itself where the cluster was made without one.
fn endpoint(inventory: &Inventory, control_plane: &Facts, manifests: &ControlPlaneManifests) -> Option<Difference> {
    let port = manifests.port.unwrap_or(inventory.cluster.port);
    let found = host_port(&control_plane.kubeadm.kubeconfigs.get("admin")?.server, port);
    let address = host_port(manifests.advertise_address.as_ref()?, port);
    let differ =
        |wanted: &str, found: &str| Some(difference("living-cluster-endpoint", "endpoint", wanted, found, ANEW));
    match &inventory.cluster.endpoint {
        // kubeadm puts its bind port behind an endpoint without one.
        Some(wanted) => {
            let wanted = host_port(wanted, port);
            let found_words = if found == address { "none" } else { &found };
            if wanted == found { None } else { differ(&wanted, found_words) }
        }
        None if found == address => None,
        None => differ("none", &found),
    }
}

fn pod_network(wanted: &IpNet, manifests: &ControlPlaneManifests) -> Option<Difference> {
    let differ =
        |found: &str, command| Some(difference("living-cluster-pod-network", "pod network", wanted, found, command));
    match &manifests.pod_cidr {
        Some(found) if is_network(found, wanted) => None,
        Some(found) => differ(found, ANEW),
        None => differ(
            "none, so that nodes get no podCIDR, flannel crash-loops (`pod cidr not assigned`) and CoreDNS waits for ever",
            REINIT_PODS,
        ),
    }
}

fn version(wanted: &KubernetesVersion, manifests: &ControlPlaneManifests) -> Option<Difference> {
    let (KubernetesVersion::Exactly(wanted), Some(found)) = (wanted, &manifests.version) else { return None };
    let release = |version: &Version| (version.major, version.minor, version.patch, version.pre.clone());
    if release(wanted) == release(found) {
        return None;
    }
    // kubeadm upgrades only ever upwards.
    let command = if wanted > found { UPGRADE } else { ANEW };
    Some(difference("living-cluster-version", "Kubernetes version", wanted, found, command))
}

fn plugin(wanted: CniPlugin, control_plane: &Facts) -> Option<Difference> {
    let wanted = wanted.to_string();
    let daemon_sets = control_plane
        .cluster
        .iter()
        .flat_map(|cluster| &cluster.workloads)
        .filter(|workload| workload.kind == "DaemonSet");
    let found: Vec<&str> = daemon_sets
        .filter_map(|set| NETWORKS.iter().find(|(start, _)| set.name.starts_with(start)).map(|(_, network)| *network))
        .collect();
    // Multus goes with another one, and says nothing of which.
    let other = found.iter().find(|network| **network != wanted && **network != "multus")?;
    Some(difference("living-cluster-cni", "pod network plugin", wanted, other, ANEW))
}

/// Whether a manifest's value is this network; of two stacks the inventory knows one only.
fn is_network(value: &str, wanted: &IpNet) -> bool {
    value.trim().parse::<IpNet>().is_ok_and(|network| network.trunc() == wanted.trunc())
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::differences;
    use crate::doctor::sample::{self, Case, Hosts};
    use crate::doctor::{Finding, Stops};
    use crate::facts::{ClusterFacts, ControlPlaneManifests, Workload};
    use crate::inventory::{Inventory, KubernetesVersion::Exactly};

    fn manifests(hosts: &mut Hosts) -> &mut ControlPlaneManifests {
        sample::of(hosts, "h1").kubeadm.manifests.as_mut().unwrap()
    }

    fn admin(hosts: &mut Hosts, server: &str) {
        sample::of(hosts, "h1").kubeadm.kubeconfigs.get_mut("admin").unwrap().server = server.into();
    }

    fn daemon_set(hosts: &mut Hosts, name: &str) {
        let set = Workload { kind: "DaemonSet".into(), name: name.into(), ..Workload::default() };
        sample::of(hosts, "h1").cluster.get_or_insert_with(ClusterFacts::default).workloads.push(set);
    }

    const CASES: [Case; 20] = [
        ("none", |_, _| {}),
        ("no cluster", |inventory, hosts| {
            inventory.cluster.port = 7443;
            *hosts = sample::bare();
        }),
        ("address in the inventory", |inventory, _| inventory.hosts[0].address = "192.168.122.11".into()),
        ("address of the cluster, with its kubeconfig", |_, hosts| {
            manifests(hosts).advertise_address = Some("192.168.101.81".into());
            admin(hosts, "https://192.168.101.81:6443");
        }),
        ("an address that only a resolver knows", |inventory, _| inventory.hosts[0].address = "h1.example.com".into()),
        ("port", |inventory, _| inventory.cluster.port = 7443),
        ("an endpoint to come", |inventory, _| inventory.cluster.endpoint = Some("api.example.com".into())),
        ("an endpoint to go", |_, hosts| admin(hosts, "https://api.example.com:6443")),
        ("another endpoint", |inventory, hosts| {
            inventory.cluster.endpoint = Some("k8s.example.com:8443".into());
            admin(hosts, "https://api.example.com:6443");
        }),
        ("the same endpoint", |inventory, hosts| {
            inventory.cluster.endpoint = Some("API.example.com".into());
            admin(hosts, "https://api.example.com:6443");
        }),
        ("another pod network", |inventory, _| inventory.cluster.pod_cidr = "10.42.0.0/16".parse().unwrap()),
        ("the notes' forgotten pod network", |_, hosts| manifests(hosts).pod_cidr = None),
        ("another service network", |_, hosts| manifests(hosts).service_cidr = Some("10.97.0.0/16".into())),
        ("another DNS domain", |inventory, _| inventory.cluster.dns_domain = "k8s.example.com".into()),
        ("newer", |inventory, _| inventory.cluster.kubernetes = Exactly(Version::new(1, 21, 0))),
        ("older", |inventory, _| inventory.cluster.kubernetes = Exactly(Version::new(1, 20, 1))),
        ("the very version", |inventory, _| inventory.cluster.kubernetes = Exactly(Version::new(1, 20, 2))),
        ("another plugin", |_, hosts| daemon_set(hosts, "calico-node")),
        ("the plugin under an old name", |_, hosts| daemon_set(hosts, "kube-flannel-ds-amd64")),
        ("what the files do not tell", |_, hosts| {
            *manifests(hosts) = ControlPlaneManifests {
                version: None,
                advertise_address: None,
                port: None,
                service_cidr: None,
                pod_cidr: Some("10.244.0.0/16".into()),
            };
            sample::of(hosts, "h1").kubeadm.dns_domain = None;
        }),
    ];

    #[test]
    fn what_a_living_cluster_has_otherwise_names_its_command() {
        let living = |inventory: &Inventory, hosts: &Hosts| -> Vec<Finding> {
            differences(inventory, &hosts["h1"]).into_iter().map(Finding::from).collect()
        };
        insta::assert_snapshot!(sample::tell_of(&CASES, sample::joined, living));
    }

    #[test]
    fn it_stops_the_run() {
        let mut inventory = sample::inventory();
        inventory.cluster.port = 7443;
        let found = differences(&inventory, &sample::joined()["h1"]).remove(0);
        assert_eq!(Finding::from(found).stops(&inventory), Stops::Run);
    }
}
