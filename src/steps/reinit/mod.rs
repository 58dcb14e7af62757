//! A cluster at another address of its control plane: the control plane itself, then each worker.

mod address_change;
mod fresh_lease;
mod moved_control_plane;
mod moved_worker;
mod progress;

pub use address_change::AddressChange;
pub use fresh_lease::FreshLease;
pub use moved_control_plane::MovedControlPlane;
pub use moved_worker::MovedWorker;
pub use progress::ReinitProgress;
