//! The states a host can be brought to, one a file: pure, synchronous, and without a connection in reach.

mod action;
mod change;
mod step;

pub use action::{Action, Contents, Detached, RunScript, WriteFile};
pub use change::{Change, Recorded};
pub use step::Step;
