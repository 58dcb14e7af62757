//! Facts to actions, case by case; then the actions on a simulated host, after which nothing is left to do.

mod clock;
mod firewall;
mod firewall_guard;
mod hosts_file;
mod kernel;
mod kubeconfigs;
mod kubelet_unit;
mod properties;
mod put_aside;
mod record;
mod remains;
mod simulated_host;
mod undo;
