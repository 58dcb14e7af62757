use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use semver::Version;

use super::{Backup, ClusterFacts, KubeadmState, Remains, Traces};

/// All that one host told in one round trip. A zero, an empty file and an absent file are three different facts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The kernel's, in lower case and without space around it: kubeadm names the node so.
    pub hostname: String,
    /// `ID VERSION_ID` of os-release, as `debian 12`.
    pub os: String,
    /// `uname -r`.
    pub kernel: String,
    /// `uname -m`.
    pub arch: String,
    /// /etc/machine-id.
    pub machine_id: Option<String>,
    /// /sys/class/dmi/id/product_uuid in lower case, which only root reads and not every machine has.
    pub product_uuid: Option<String>,
    /// How far its clock is from the workstation's.
    pub clock: Clock,
    /// Its network interfaces.
    pub interfaces: Vec<Interface>,
    /// Devices and files that it swaps to.
    pub swap: Vec<String>,
    /// The container runtimes found, by their sockets or units.
    pub runtimes: Vec<Runtime>,
    /// Versions of Kubernetes' own programs.
    pub packages: Packages,
    /// kubelet.service.
    pub kubelet: Unit,
    /// cgroupDriver of /var/lib/kubelet/config.yaml.
    pub kubelet_cgroup_driver: Option<String>,
    /// Whether crictl is in the path; kubeadm's preflight of some versions wants it.
    pub crictl: bool,
    /// firewalld.
    pub firewall: Firewall,
    /// The files that were asked for, by path.
    pub files: BTreeMap<String, File>,
    /// The sysctls that were asked for, by key; `None` where the kernel has no such key.
    pub sysctls: BTreeMap<String, Option<String>>,
    /// Module names that are loaded or built in.
    pub modules: BTreeSet<String>,
    /// What kubeadm left behind here.
    pub kubeadm: KubeadmState,
    /// kfleet's own detached jobs, by name, such as `init`.
    pub jobs: BTreeMap<String, Job>,
    /// What the API server says; only on a control plane with an admin.conf.
    pub cluster: Option<ClusterFacts>,
    /// The user that logged in and its home directory.
    pub login: Login,
    /// The places that were asked for, and whether anything is there.
    pub places: BTreeMap<String, bool>,
    /// What a reset by kubeadm would leave; nothing where it was not asked for.
    pub remains: Remains,
    /// Which addresses stand where; only where that was asked for.
    pub traces: Option<Traces>,
    /// What changes of address have put aside, the oldest first; only where that was asked for.
    pub backups: Option<Vec<Backup>>,
}

/// The user that logged in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub user: String,
    /// Its home directory.
    pub home: String,
    /// Whether `~/.kube/config` is there, with anything in it.
    pub has_kubeconfig: bool,
}

/// A host's clock against the workstation's.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Clock {
    /// Host minus workstation, in seconds, at the middle of the round trip.
    pub ahead: f64,
    /// How wrong `ahead` may be: half of what the round trip took beside the script, and more where the host's `date`
    /// tells whole seconds only. [`Duration::MAX`] where it tells nothing.
    pub uncertainty: Duration,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: InterfaceKind,
    /// Its addresses with their networks.
    pub addresses: Vec<IpNet>,
    /// Whether a default route leaves by it.
    pub default_route: bool,
}

/// What an interface is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterfaceKind {
    /// lo
    Loopback,
    /// A VPN's: tun, tap, wireguard, ppp. The notes' tun0.
    Vpn,
    /// A pod network's own: cni0, flannel.1, cali…, veth….
    Pods,
    /// docker0 or virbr0 and their like.
    LocalBridge,
    /// Everything else: the machine's way out.
    Network,
}

/// A container runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Which one.
    pub kind: RuntimeKind,
    /// The CRI socket as kubeadm's `--cri-socket` takes it, without `unix://`.
    pub socket: String,
    /// Whether the socket is there now.
    pub running: bool,
    /// Its version in its own words.
    pub version: Option<String>,
    /// `systemd` or `cgroupfs`, where its configuration says.
    pub cgroup_driver: Option<String>,
    /// The pause image that it is set to use.
    pub pause_image: Option<String>,
    /// False where containerd's configuration switches the CRI plugin off, as Docker's packages ship it.
    pub cri_enabled: bool,
}

/// The runtimes that kubeadm works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeKind {
    /// /run/containerd/containerd.sock
    Containerd,
    /// /var/run/dockershim.sock up to Kubernetes 1.23, /run/cri-dockerd.sock from 1.24 on.
    Docker,
    /// /var/run/crio/crio.sock
    Crio,
}

/// Versions of Kubernetes' own programs; `None` where a program is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// `kubeadm version -o short`
    pub kubeadm: Option<Version>,
    /// `kubelet --version`
    pub kubelet: Option<Version>,
    /// `kubectl version --client`
    pub kubectl: Option<Version>,
}

/// A systemd unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unit {
    /// Whether there is such a unit.
    pub exists: bool,
    /// Whether it starts at boot.
    pub enabled: bool,
    /// Whether it runs.
    pub active: bool,
}

/// firewalld as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Firewall {
    /// No firewall-cmd.
    #[default]
    Absent,
    /// Installed, not running.
    Stopped,
    /// Installed, and what it lets through is not known: firewall-cmd failed, or did not answer in time.
    Unknown {
        /// Its words.
        reason: String,
    },
    /// Running.
    Running {
        /// `firewall-cmd --version`
        version: String,
        /// The default zone.
        default_zone: String,
        /// The zone of each interface that is bound to one, at run time.
        interface_zones: BTreeMap<String, String>,
        /// Every zone at run time, by name.
        runtime: BTreeMap<String, Zone>,
        /// Every zone of the permanent configuration.
        permanent: BTreeMap<String, Zone>,
    },
}

/// What a zone lets through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    /// `default`, `ACCEPT`, …
    pub target: String,
    /// As firewalld writes them, `6443/tcp`.
    pub ports: BTreeSet<String>,
    /// Protocols without ports.
    pub protocols: BTreeSet<String>,
    /// Interfaces bound to it.
    pub interfaces: BTreeSet<String>,
}

/// A file on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum File {
    /// Not there.
    #[default]
    Absent,
    /// There, and not to be read: a directory, too large, not UTF-8.
    Unreadable {
        /// Why not.
        reason: String,
    },
    /// There.
    Present {
        /// All of it.
        contents: String,
        /// Its permission bits.
        mode: u32,
        /// `user:group`.
        owner: String,
    },
}

/// A detached job of kfleet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Its unit is active.
    Running,
    /// It ended with this status.
    Finished(i32),
    /// It has begun, and neither runs nor left a status: the host went down under it.
    Lost,
}

impl Facts {
    /// The address by which this host makes itself known: the one that is wanted; else the one that was dialled, where
    /// the host has it; else the first of its way out, as behind a NAT or under a name.
    #[must_use]
    pub fn announced(&self, wanted: Option<IpAddr>, dialled: Option<IpAddr>) -> Option<IpAddr> {
        let own = dialled.filter(|address| self.interface_of(*address).is_some());
        let way_out = || self.interfaces.iter().find(|interface| interface.default_route)?.addresses.first();
        wanted.or(own).or_else(|| way_out().map(IpNet::addr)).or(dialled)
    }

    /// What its Node is called: as its kubelet's certificate says once it has joined, whatever the host is called since;
    /// before that the hostname in lower case, as kubeadm takes it.
    #[must_use]
    pub fn node_name(&self) -> String {
        let joined = self.kubeadm.node.as_ref().filter(|_| self.kubeadm.kubeconfigs.contains_key("kubelet"));
        joined.unwrap_or(&self.hostname).trim().to_lowercase()
    }

    /// All its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.interfaces.iter().flat_map(|interface| &interface.addresses).map(IpNet::addr)
    }

    /// The interface that has this address.
    #[must_use]
    pub fn interface_of(&self, address: IpAddr) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.addresses.iter().any(|net| net.addr() == address))
    }
}
