//! What should be: the inventory's schema, its validation with places in the file, and its expansion into hosts.

mod addresses;
mod agreement;
mod cluster_section;
mod hosts_section;
mod kubeadm_document;
mod load;
mod model;
mod names;
mod problem;
mod removal;
mod section;
mod settings_sections;
mod ssh_section;
mod workstation;

pub use model::{
    Cluster, Cni, CniPlugin, ConfigFile, Firewall, Host, HostsEntry, HostsFile, Inventory, Kernel, KubernetesVersion,
    Pki, PortRange, Protocol, Role, Ssh,
};
pub use problem::{InventoryError, Label, Problem};
pub use removal::{ByHand, Removal};
pub use workstation::Workstation;
