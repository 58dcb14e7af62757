//! A cluster at another address of its control plane: the control plane itself, then each worker.

mod address_change;
mod fresh_lease;
mod kept;
mod moved_control_plane;
mod moved_worker;
mod progress;
mod restore_progress;
mod restored_etcd;
mod restored_fleet;
mod restored_worker;
#[cfg(test)]
mod tests;

pub use address_change::AddressChange;
pub use fresh_lease::FreshLease;
pub use moved_control_plane::MovedControlPlane;
pub use moved_worker::MovedWorker;
pub use progress::ReinitProgress;
pub use restore_progress::RestoreProgress;
pub use restored_etcd::{EtcdRestore, RestoredEtcd};
pub use restored_fleet::RestoredFleet;
pub use restored_worker::RestoredWorker;
