//! What a host says of itself: one probe script, its parsers, and the facts they make.

mod backup;
mod clock;
mod cluster;
mod error;
mod file;
mod firewall;
mod frames;
mod kubeadm;
mod model;
mod network;
mod packages;
mod parse;
mod probe;
mod remains;
mod runtime;
mod traces;
mod units;
mod wanted;

pub use backup::Backup;
pub use cluster::{ClusterFacts, Node, Taint, Workload};
pub use error::FactsError;
pub use kubeadm::{ControlPlaneManifests, KubeadmState, Kubeconfig, endpoint_address};
pub use model::{
    Clock, Facts, File, Firewall, Interface, InterfaceKind, Job, Login, Packages, Runtime, RuntimeKind, Unit, Zone,
};
pub use remains::Remains;
pub use traces::{Trace, Traces};
pub use wanted::Wanted;
