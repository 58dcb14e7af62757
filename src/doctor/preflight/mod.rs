//! What to know of a fleet before the first write; one file a family of checks.

mod addresses;
mod cgroup_driver;
mod clocks;
mod crictl;
mod firewall;
mod fleet;
mod identity;
mod kubelet_configuration;
mod membership;
mod networks;
mod order;
mod pod_network;
mod runtime;
mod swap;
mod versions;
mod ways_out;

pub use order::preflight;
