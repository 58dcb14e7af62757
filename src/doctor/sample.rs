//! A fleet of three hosts in good health, for tests to make ill.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use semver::Version;

use super::{Finding, preflight};
use crate::events::Severity;
use crate::facts::{
    Clock, ControlPlaneManifests, Facts, Firewall, Interface, InterfaceKind, KubeadmState, Kubeconfig, Packages,
    Runtime, RuntimeKind, Unit,
};
use crate::inventory::{self, Cni, CniPlugin, Host, HostsFile, Inventory, Kernel, KubernetesVersion, Pki, Role, Ssh};

pub(super) type Hosts = BTreeMap<String, Facts>;

/// What a case is called, and what it changes in the healthy fleet.
pub(super) type Case = (&'static str, fn(&mut Inventory, &mut Hosts));

/// The cluster's CA, as the base64 of a PEM block.
pub(super) const CA: &str = "b3du";

pub(super) fn inventory() -> Inventory {
    let host = |n: u8| Host {
        name: format!("h{n}"),
        address: format!("10.88.0.1{n}"),
        role: if n == 1 { Role::ControlPlane } else { Role::Worker },
        groups: Vec::new(),
        variables: BTreeMap::new(),
        ssh: Ssh::default(),
        cri_socket: None,
        node_ip: None,
    };
    Inventory {
        cluster: inventory::Cluster {
            name: "lab".into(),
            kubernetes: KubernetesVersion::AsInstalled,
            pod_cidr: "10.244.0.0/16".parse().unwrap(),
            service_cidr: "10.96.0.0/12".parse().unwrap(),
            dns_domain: "cluster.local".into(),
            advertise_address: None,
            endpoint: None,
            port: 6443,
            cert_sans: Vec::new(),
            image_repository: None,
            cri_socket: None,
            ignore_preflight_errors: vec!["SystemVerification".into()],
            kubeadm_documents: Vec::new(),
            pki: Pki::Kubeadm,
            cni: Cni {
                plugin: CniPlugin::Flannel,
                interface: None,
                backend: "vxlan".into(),
                manifest: None,
                images: BTreeMap::new(),
            },
        },
        hosts: (1..=3).map(host).collect(),
        hosts_file: HostsFile::default(),
        kernel: Kernel { sysctls: BTreeMap::new(), modules: Vec::new() },
        firewall: inventory::Firewall {
            manage: true,
            zone: None,
            pod_network_ports: None,
            ports: Vec::new(),
            control_plane_ports: Vec::new(),
            worker_ports: Vec::new(),
        },
    }
}

/// One bare host.
pub(super) fn host(n: u8) -> Facts {
    let mut facts = Facts {
        hostname: format!("h{n}"),
        os: "debian 12".into(),
        arch: "x86_64".into(),
        machine_id: Some(format!("{n:032}")),
        product_uuid: Some(format!("4c4c4544-0000-0000-0000-00000000000{n}")),
        clock: Clock { ahead: 0.01, uncertainty: Duration::from_millis(3) },
        interfaces: vec![
            interface("lo", InterfaceKind::Loopback, &["127.0.0.1/8", "::1/128"]),
            interface("eth0", InterfaceKind::Network, &[&format!("10.88.0.1{n}/24"), "fe80::5054:ff:fe00:1/64"]),
        ],
        runtimes: vec![runtime(RuntimeKind::Containerd)],
        kubelet: Unit { exists: true, enabled: true, active: false },
        crictl: true,
        firewall: Firewall::Running {
            version: "1.3.3".into(),
            default_zone: "public".into(),
            interface_zones: BTreeMap::new(),
            runtime: BTreeMap::new(),
            permanent: BTreeMap::new(),
        },
        modules: BTreeSet::new(),
        ..Facts::default()
    };
    facts.interfaces[1].default_route = true;
    install(&mut facts, &Version::new(1, 20, 2));
    facts
}

/// The three hosts before any of kfleet.
pub(super) fn bare() -> Hosts {
    (1..=3).map(|n| (format!("h{n}"), host(n))).collect()
}

/// The three hosts as a cluster.
pub(super) fn joined() -> Hosts {
    let mut hosts = bare();
    for facts in hosts.values_mut() {
        facts.kubeadm = worker_state("10.88.0.11:6443", CA);
        facts.kubelet_cgroup_driver = Some("cgroupfs".into());
        facts.interfaces.push(interface("cni0", InterfaceKind::Pods, &["10.244.0.1/24"]));
    }
    let control_plane = &mut of(&mut hosts, "h1").kubeadm;
    control_plane.kubeconfigs.insert("admin".into(), control_plane.kubeconfigs["kubelet"].clone());
    control_plane.ca_key = true;
    control_plane.etcd_data = true;
    control_plane.manifests = Some(ControlPlaneManifests {
        version: Some(Version::new(1, 20, 2)),
        advertise_address: Some("10.88.0.11".into()),
        port: Some(6443),
        service_cidr: Some("10.96.0.0/12".into()),
        pod_cidr: Some("10.244.0.0/16".into()),
    });
    hosts
}

/// What a join leaves of a cluster at `server`.
pub(super) fn worker_state(server: &str, authority: &str) -> KubeadmState {
    let kubelet = Kubeconfig { server: format!("https://{server}"), ca_certificate: Some(pem(authority)) };
    KubeadmState {
        kubeconfigs: BTreeMap::from([("kubelet".into(), kubelet)]),
        ca_certificate: Some(pem(authority)),
        dns_domain: Some("cluster.local".into()),
        ..KubeadmState::default()
    }
}

pub(super) fn pem(base64: &str) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

pub(super) fn runtime(kind: RuntimeKind) -> Runtime {
    let (socket, version, cgroup_driver, pause_image) = match kind {
        RuntimeKind::Containerd => {
            ("/run/containerd/containerd.sock", "containerd 1.6.20~ds1", "cgroupfs", Some("k8s.gcr.io/pause:3.2"))
        }
        RuntimeKind::Docker => ("/var/run/dockershim.sock", "20.10.24", "cgroupfs", None),
        RuntimeKind::Crio => ("/var/run/crio/crio.sock", "1.20.0", "cgroupfs", None),
    };
    Runtime {
        kind,
        socket: socket.into(),
        running: true,
        version: Some(version.into()),
        // CRI-O and Docker are tested with their defaults.
        cgroup_driver: Some(cgroup_driver.to_owned()).filter(|_| kind != RuntimeKind::Docker),
        pause_image: pause_image.map(str::to_owned),
        cri_enabled: true,
    }
}

/// All of Kubernetes' programs in this version.
pub(super) fn install(facts: &mut Facts, version: &Version) {
    let version = Some(version.clone());
    facts.packages = Packages { kubeadm: version.clone(), kubelet: version.clone(), kubectl: version };
}

pub(super) fn of<'a>(hosts: &'a mut Hosts, name: &str) -> &'a mut Facts {
    hosts.get_mut(name).unwrap()
}

pub(super) fn add_interface(hosts: &mut Hosts, host: &str, name: &str, kind: InterfaceKind, addresses: &[&str]) {
    of(hosts, host).interfaces.push(interface(name, kind, addresses));
}

pub(super) fn add_way_out(hosts: &mut Hosts, host: &str, name: &str, kind: InterfaceKind, addresses: &[&str]) {
    of(hosts, host).interfaces.push(Interface { default_route: true, ..interface(name, kind, addresses) });
}

fn interface(name: &str, kind: InterfaceKind, addresses: &[&str]) -> Interface {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Interface { name: name.into(), kind, addresses, default_route: false }
}

/// What preflight says of bare hosts in each case.
pub(super) fn tell(cases: &[Case]) -> String {
    tell_of(cases, bare, preflight)
}

/// What `check` says in each case.
pub(super) fn tell_of(
    cases: &[Case],
    healthy: fn() -> Hosts,
    check: impl Fn(&Inventory, &Hosts) -> Vec<Finding>,
) -> String {
    let mut told = String::new();
    for (name, change) in cases {
        let (mut inventory, mut hosts) = (inventory(), healthy());
        change(&mut inventory, &mut hosts);
        writeln!(told, "# {name}\n{}", lines(&check(&inventory, &hosts))).unwrap();
    }
    told
}

/// A finding a line, its hint below it; `-` where there is none.
pub(super) fn lines(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "-\n".into();
    }
    let mut lines = String::new();
    for Finding { host, severity, check, reason, hint } in findings {
        let severity = match severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        writeln!(lines, "{severity} {} {check}: {reason}", host.as_deref().unwrap_or("fleet")).unwrap();
        if let Some(hint) = hint {
            writeln!(lines, "    {hint}").unwrap();
        }
    }
    lines
}
