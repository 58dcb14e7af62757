//! What a host says of itself: one probe script, its parsers, and the facts they make.

mod cluster;
mod kubeadm;
mod model;
mod wanted;

pub use cluster::{ClusterFacts, Node, Workload};
pub use kubeadm::{ControlPlaneManifests, KubeadmState, Kubeconfig};
pub use model::{
    Clock, Facts, File, Firewall, Interface, InterfaceKind, Job, Login, Packages, Runtime, RuntimeKind, Unit, Zone,
};
pub use wanted::Wanted;
