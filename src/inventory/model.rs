use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// An inventory that was read, validated and expanded: every default is filled in, every range is hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// What the hosts are to become together.
    pub cluster: Cluster,
    /// In the file's order, ranges expanded in place; exactly one is the control plane.
    pub hosts: Vec<Host>,
    /// What /etc/hosts gets beside the hosts themselves.
    pub hosts_file: HostsFile,
    /// Modules and sysctls of every host.
    pub kernel: Kernel,
    /// What firewalld is to let through.
    pub firewall: Firewall,
}

impl Inventory {
    /// The one host that runs the control plane.
    ///
    /// # Panics
    /// Never for an inventory that was validated.
    #[must_use]
    #[expect(clippy::expect_used, reason = "validation refuses an inventory without one")]
    pub fn control_plane(&self) -> &Host {
        self.hosts.iter().find(|host| host.role == Role::ControlPlane).expect("validated: one control plane")
    }

    /// The workers, in inventory order.
    pub fn workers(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| host.role == Role::Worker)
    }
}

/// `[cluster]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Names the kubeconfig context and the state directory.
    pub name: String,
    /// The version to run.
    pub kubernetes: KubernetesVersion,
    /// Where pods get their addresses; always handed to kubeadm.
    pub pod_cidr: IpNet,
    /// Where Services get theirs.
    pub service_cidr: IpNet,
    /// `cluster.local` unless said otherwise.
    pub dns_domain: String,
    /// The address that the API server announces; else the control plane's own `address`, resolved.
    pub advertise_address: Option<IpAddr>,
    /// `host[:port]` for kubeadm's controlPlaneEndpoint.
    pub endpoint: Option<String>,
    /// The API server's port, 6443 unless said otherwise.
    pub port: u16,
    /// More names or addresses for the API server's certificate.
    pub cert_sans: Vec<String>,
    /// Where kubeadm takes its images from, where not from its own default.
    pub image_repository: Option<String>,
    /// The runtime's socket, where a host has several.
    pub cri_socket: Option<String>,
    /// Names of kubeadm's preflight checks that may fail.
    pub ignore_preflight_errors: Vec<String>,
    /// More YAML documents for `kubeadm init`, such as a KubeletConfiguration.
    pub kubeadm_documents: Vec<String>,
    /// Who makes the cluster's CA.
    pub pki: Pki,
    /// The pod network.
    pub cni: Cni,
}

impl Cluster {
    /// The name or the address of the endpoint, without its port and an IPv6 address's brackets.
    #[must_use]
    pub fn endpoint_host(&self) -> Option<&str> {
        let host = self.endpoint.as_deref().map(|endpoint| match endpoint.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            _ => endpoint,
        });
        host.map(|host| host.trim_matches(['[', ']']))
    }
}

/// Which Kubernetes to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubernetesVersion {
    /// What the control plane's kubeadm is.
    AsInstalled,
    /// This one; hosts with another are a problem.
    Exactly(semver::Version),
}

/// Who makes the cluster's CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pki {
    /// kubeadm, on the control plane.
    Kubeadm,
    /// kfleet, on the workstation, before init: the join's pin is known beforehand.
    Workstation,
}

/// `[cluster.cni]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cni {
    /// Which plugin.
    pub plugin: CniPlugin,
    /// `--iface` of flannel, where a host has more than one way out.
    pub interface: Option<String>,
    /// Flannel's backend type, `vxlan` unless said otherwise.
    pub backend: String,
    /// Calico's own manifest, calico.yaml, which kfleet does not carry.
    pub manifest: Option<PathBuf>,
    /// Images by their part's name, such as `flannel`, in place of the defaults.
    pub images: BTreeMap<String, String>,
}

/// The pod networks that kfleet can install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CniPlugin {
    /// The default.
    Flannel,
    /// With a warning: its docs advise against firewalld.
    Calico,
    /// With a warning: archived upstream since June 2024.
    Weave,
}

impl fmt::Display for CniPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flannel => "flannel",
            Self::Calico => "calico",
            Self::Weave => "weave",
        })
    }
}

/// One host, every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name in the inventory, in /etc/hosts and in every report; a DNS label or name in lower case.
    pub name: String,
    /// A name or an IP address to dial; the name itself where none is given.
    pub address: String,
    /// What it is in the cluster.
    pub role: Role,
    /// Groups it is in, for selecting hosts.
    pub groups: Vec<String>,
    /// Free values.
    pub variables: BTreeMap<String, String>,
    /// How to log in.
    pub ssh: Ssh,
    /// The runtime's socket on this host, in place of the cluster's.
    pub cri_socket: Option<String>,
    /// The kubelet's `--node-ip`, where the host has several addresses.
    pub node_ip: Option<IpAddr>,
}

impl Host {
    /// The address, where it is an IP address and not a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }
}

/// What a host is in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Runs etcd and the API server.
    ControlPlane,
    /// Runs pods.
    Worker,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
        })
    }
}

/// `[ssh]`, and `ssh` of a host over it. What is not said is left to ssh_config, and then to OpenSSH's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ssh {
    /// Who logs in.
    pub user: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Private keys to offer, in order and before an agent's others.
    pub identities: Vec<PathBuf>,
    /// Files of known host keys.
    pub known_hosts: Vec<PathBuf>,
    /// The longest that connecting may take, login included.
    pub connect_timeout: Option<Duration>,
    /// The jump hosts on the way, the nearest first, each as `[user@]host[:port]`; none at all where the list is empty.
    pub jump: Option<Vec<String>>,
    /// What is read as ssh_config.
    pub config: Option<ConfigFile>,
}

/// What is read as ssh_config, where that is not the user's and the system's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigFile {
    /// This file alone.
    At(PathBuf),
    /// Nothing.
    Nothing,
}

/// `[hosts_file]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostsFile {
    /// Entries beside the hosts of the inventory.
    pub entries: Vec<HostsEntry>,
    /// Also the workstation's own /etc/hosts, without its loopback and its own names.
    pub from_workstation: bool,
}

/// A line of /etc/hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostsEntry {
    /// The address.
    pub address: IpAddr,
    /// Its names, at least one.
    pub names: Vec<String>,
}

/// `[kernel]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// By key, as `net.ipv4.ip_forward`; those that Kubernetes needs are in it, unless the inventory sets them otherwise.
    pub sysctls: BTreeMap<String, String>,
    /// Modules to load at boot; those that Kubernetes needs are in it.
    pub modules: Vec<String>,
}

/// `[firewall]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firewall {
    /// Whether kfleet touches firewalld at all.
    pub manage: bool,
    /// The zone to open ports in; else the zone of the interface that has the host's address.
    pub zone: Option<String>,
    /// What the pod network needs between all hosts; the user's `8285-8472/udp` for flannel unless said otherwise.
    pub pod_network_ports: Option<Vec<PortRange>>,
    /// More ports for every host.
    pub ports: Vec<PortRange>,
    /// More ports for the control plane.
    pub control_plane_ports: Vec<PortRange>,
    /// More ports for the workers.
    pub worker_ports: Vec<PortRange>,
}

/// One port or a range of them, as firewalld writes it: `6443/tcp`, `8285-8472/udp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last; the first again for a single port.
    pub last: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// tcp
    Tcp,
    /// udp
    Udp,
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        if self.first == self.last {
            write!(f, "{}/{protocol}", self.first)
        } else {
            write!(f, "{}-{}/{protocol}", self.first, self.last)
        }
    }
}
