//! The way back: what `up` brought is gone, and what was there before is there again.

mod firewall_before;
mod hosts_file_before;
mod kernel_before;
mod kubelet_unit_before;
mod no_kubeconfig;
mod no_node;
mod no_record;
mod no_remains;

pub use firewall_before::FirewallBefore;
pub use hosts_file_before::HostsFileBefore;
pub use kernel_before::KernelBefore;
pub use kubelet_unit_before::KubeletUnitBefore;
pub use no_kubeconfig::NoKubeconfig;
pub use no_node::NoNode;
pub use no_record::NoRecord;
pub use no_remains::NoRemains;
