use std::collections::BTreeMap;

use semver::Version;

/// What kubeadm left on a host, read from its files: true even while no API server answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeadmState {
    /// By name without `.conf`: admin, kubelet, bootstrap-kubelet, controller-manager, scheduler, super-admin.
    pub kubeconfigs: BTreeMap<String, Kubeconfig>,
    /// /etc/kubernetes/pki/ca.crt, PEM.
    pub ca_certificate: Option<String>,
    /// Whether /etc/kubernetes/pki/ca.key is there too.
    pub ca_key: bool,
    /// DNS names and IP addresses in the API server's certificate.
    pub api_server_names: Vec<String>,
    /// The static pods' manifests, on a control plane.
    pub manifests: Option<ControlPlaneManifests>,
    /// clusterDomain of /var/lib/kubelet/config.yaml.
    pub dns_domain: Option<String>,
    /// Whether /var/lib/etcd has data.
    pub etcd_data: bool,
    /// File names in /etc/cni/net.d.
    pub cni_configs: Vec<String>,
}

/// A kubeconfig without its secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kubeconfig {
    /// As `https://10.0.0.1:6443`.
    pub server: String,
    /// The CA it trusts, PEM.
    pub ca_certificate: Option<String>,
}

/// What the control plane's static pods were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlaneManifests {
    /// The tag of the API server's image.
    pub version: Option<Version>,
    /// `--advertise-address`
    pub advertise_address: Option<String>,
    /// `--secure-port`
    pub port: Option<u16>,
    /// `--service-cluster-ip-range`
    pub service_cidr: Option<String>,
    /// `--cluster-cidr` of the controller manager; `None` is the notes' forgotten --pod-network-cidr.
    pub pod_cidr: Option<String>,
}
