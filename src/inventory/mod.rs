//! What should be: the inventory's schema, its validation with places in the file, and its expansion into hosts.

mod model;

pub use model::{
    Cluster, Cni, CniPlugin, Firewall, Host, HostsEntry, HostsFile, Inventory, Kernel, KubernetesVersion, Pki,
    PortRange, Protocol, Role, Ssh,
};
