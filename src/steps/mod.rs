//! The states a host can be brought to, one a file: pure, synchronous, and without a connection in reach.

mod action;
mod change;
mod difference;
mod firewall;
mod firewall_edits;
mod firewall_plan;
mod firewall_rule;
mod hosts_file;
mod hosts_lines;
mod kernel;
mod kubelet_unit;
mod own_file;
mod port_set;
mod record;
mod refusal;
mod step;
#[cfg(test)]
mod tests;
mod workstation;

pub use action::{Action, Contents, Detached, RunScript, WriteFile};
pub use change::{Change, Recorded};
pub use firewall::Firewall;
pub use hosts_file::HostsFile;
pub use kernel::Kernel;
pub use kubelet_unit::KubeletUnit;
pub use record::{Record, record_action};
pub use refusal::Refusal;
pub use step::Step;
pub use workstation::Workstation;
