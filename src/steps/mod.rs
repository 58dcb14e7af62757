//! The states a host can be brought to, one a file: pure, synchronous, and without a connection in reach.

mod action;
mod admin_kubeconfig;
mod api_reached;
mod change;
mod control_plane;
mod difference;
mod firewall;
mod firewall_edits;
mod firewall_guard;
mod firewall_plan;
mod firewall_rule;
mod hosts_file;
mod hosts_lines;
mod join_token;
mod kept_kubeconfig;
mod kernel;
mod kubelet_unit;
mod node;
mod node_address;
mod node_gone;
mod nodes_cordoned;
mod own_file;
mod places;
mod pod_network;
mod port_set;
mod record;
mod refusal;
mod reinit;
mod scratch;
mod step;
#[cfg(test)]
mod tests;
mod undo;
mod worker;
mod workstation;

pub use action::{Action, Contents, Detached, RunScript, WriteFile, Yields};
pub use admin_kubeconfig::AdminKubeconfig;
pub use api_reached::api_endpoint;
pub use change::{Change, Recorded};
pub use control_plane::{ControlPlane, keeps_ca, living};
pub use firewall::Firewall;
pub use hosts_file::HostsFile;
pub use join_token::JoinToken;
pub use kept_kubeconfig::KeptKubeconfig;
pub use kernel::Kernel;
pub use kubelet_unit::KubeletUnit;
pub use node_address::NodeAddress;
pub use node_gone::{Drain, Leave, NodeGone};
pub use nodes_cordoned::NodesCordoned;
pub use places::{missing_places, wanted_places};
pub use pod_network::PodNetwork;
pub use record::{Record, record_action};
pub use refusal::Refusal;
pub use reinit::{
    AddressChange, EtcdRestore, FreshLease, MovedControlPlane, MovedWorker, ReinitProgress, RestoreProgress,
    RestoredEtcd, RestoredFleet, RestoredWorker,
};
pub use scratch::{Begun, DnsReady, NoStaleNodes, NodeMarks, NodesAsBefore, NodesReady, Phase, PutAside, ScratchMark};
pub use step::Step;
pub use undo::{
    FirewallBefore, HostsFileBefore, KernelBefore, KubeletUnitBefore, NoKubeconfig, NoNode, NoRecord, NoRemains,
};
pub use worker::Worker;
pub use workstation::Workstation;
