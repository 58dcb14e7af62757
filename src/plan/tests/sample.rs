use std::path::Path;
use std::time::SystemTime;

use semver::Version;

use crate::facts::{ClusterFacts, ControlPlaneManifests, Facts, Kubeconfig, Node, Workload};
use crate::inventory::{Inventory, Workstation};
use crate::plan::{Fleet, Up, pod_network};

pub(super) const CA: &str = "-----BEGIN CERTIFICATE-----\nb3du\n-----END CERTIFICATE-----\n";

pub(super) const THREE_HOSTS: &str = r#"
[cluster]
name = "lab"
kubernetes = "1.20.2"

[[hosts]]
name = "h1"
address = "10.88.0.11"
role = "control-plane"

[[hosts]]
name = "h[2-3]"
address = "10.88.0.[12-13]"
role = "worker"
"#;

pub(super) fn inventory(text: &str) -> Inventory {
    let workstation = Workstation { user: Some("ops".to_owned()), home: Some("/home/ops".into()) };
    Inventory::parse(text, Path::new("inventory.toml"), &workstation).unwrap()
}

pub(super) fn recipe(inventory: Inventory) -> Up {
    let network = pod_network(&inventory, None).unwrap();
    Up::new(inventory, crate::plan::Workstation::default(), network)
}

/// A host of the lab as it told of itself before any of kfleet, under this name.
pub(super) fn bare(name: &str) -> Facts {
    let output = include_bytes!("../../../tests/fixtures/probe-lab-host-bare.txt");
    let facts = Facts::parse(output, "nnnn0000", SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH).unwrap();
    Facts { hostname: name.to_owned(), ..facts }
}

pub(super) fn bare_fleet() -> Fleet {
    ["h1", "h2", "h3"].map(|name| (name.to_owned(), bare(name))).into()
}

pub(super) fn living_fleet(recipe: &Up) -> Fleet {
    let mut fleet = bare_fleet();
    for facts in fleet.values_mut() {
        joined(facts, CA);
    }
    let cluster = cluster(recipe, &["h1", "h2", "h3"]);
    let control_plane = fleet.get_mut("h1").unwrap();
    initialised(control_plane);
    control_plane.cluster = Some(cluster);
    fleet
}

/// Has a kubelet of the cluster with this CA.
pub(super) fn joined(facts: &mut Facts, ca: &str) {
    let kubelet = Kubeconfig { server: "https://10.88.0.11:6443".to_owned(), ca_certificate: Some(ca.to_owned()) };
    facts.kubeadm.kubeconfigs.insert("kubelet".to_owned(), kubelet);
}

/// Has what `kubeadm init` makes.
pub(super) fn initialised(facts: &mut Facts) {
    joined(facts, CA);
    let kubelet = facts.kubeadm.kubeconfigs["kubelet"].clone();
    facts.kubeadm.kubeconfigs.insert("admin".to_owned(), kubelet);
    facts.kubeadm.ca_certificate = Some(CA.to_owned());
    facts.kubeadm.manifests = Some(ControlPlaneManifests {
        version: Some(Version::new(1, 20, 2)),
        advertise_address: Some("10.88.0.11".to_owned()),
        port: Some(6443),
        service_cidr: Some("10.96.0.0/12".to_owned()),
        pod_cidr: Some("10.244.0.0/16".to_owned()),
    });
    facts.login.has_kubeconfig = true;
}

/// A cluster of these nodes in good health.
pub(super) fn cluster(recipe: &Up, nodes: &[&str]) -> ClusterFacts {
    let node = |name: &&str| Node { name: (*name).to_owned(), ready: true, ..Node::default() };
    let manifest = &recipe.pod_network().manifest;
    let annotation = (crate::cluster::MANIFEST_HASH_ANNOTATION.to_owned(), manifest.sha256.clone());
    let flannel = Workload {
        kind: "DaemonSet".to_owned(),
        name: manifest.daemon_set.to_owned(),
        annotations: [annotation].into(),
        ..Workload::default()
    };
    ClusterFacts { nodes: nodes.iter().map(node).collect(), workloads: vec![flannel], ..ClusterFacts::default() }
}
