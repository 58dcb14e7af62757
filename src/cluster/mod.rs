//! The kubeadm domain: configurations by API version, the join grant, the PKI, pod networks, ports, version skew.

mod cni;
mod failure;
mod join_grant;
mod kubeadm;
mod pki;
mod ports;
mod progress;
mod runtime_defaults;
mod skew;
mod template;

pub use cni::{
    CniError, FlannelBackend, FlannelSpec, MANIFEST_HASH_ANNOTATION, Manifest, WeaveSpec, calico_manifest,
    flannel_manifest, weave_manifest,
};
pub use failure::{KubeadmError, KubeadmFailure};
pub use join_grant::{GrantError, JoinGrant};
pub use kubeadm::{
    CertificatesSpec, ConfigApi, ConfigError, InitSpec, JoinSpec, certificates_configuration, init_configuration,
    join_configuration,
};
pub use pki::{Authority, PkiError, expiry, pin};
pub use ports::{PodNetwork, PodNetworkOpenings, control_plane_ports, worker_ports};
pub use progress::Phase;
pub use runtime_defaults::{CgroupDriver, ContainerRuntime, pause_tag};
pub use skew::{Skew, check_kubeadm, check_kubeadm_with_kubelet, check_kubelet};
