use std::collections::BTreeMap;

use semver::Version;

/// What the API server says of its cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Why nothing could be asked; everything else is empty then.
    pub unreachable: Option<String>,
    /// Every Node.
    pub nodes: Vec<Node>,
    /// Every DaemonSet and Deployment of a namespace that kfleet or kubeadm uses.
    pub workloads: Vec<Workload>,
    /// net-conf.json of flannel's ConfigMap, whichever namespace has it.
    pub flannel_net_conf: Option<String>,
    /// ClusterConfiguration of the kubeadm-config ConfigMap, YAML.
    pub kubeadm_config: Option<String>,
}

/// A Node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether its Ready condition is True.
    pub ready: bool,
    /// Why it is not, in the kubelet's words.
    pub reason: Option<String>,
    /// Its InternalIP.
    pub address: Option<String>,
    /// spec.podCIDR.
    pub pod_cidr: Option<String>,
    /// The kubelet's version.
    pub version: Option<Version>,
    /// Whether a control-plane or master label is on it.
    pub control_plane: bool,
}

/// A DaemonSet or a Deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// `DaemonSet` or `Deployment`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// How many pods it wants.
    pub desired: u32,
    /// How many of them are ready, and of its current generation.
    pub ready: u32,
    /// Its containers' images, init containers included.
    pub images: Vec<String>,
}
