//! Drives hosts: order, concurrency, interruption, deadlines. The only interpreter of actions; tells everything as events.
//!
//! [`Engine::run`] is the whole of it, top to bottom: gather, preflight, plan, apply, verify.

mod apply;
mod drive;
mod failure;
mod frames;
mod gather;
mod grant;
mod interrupt;
mod job;
mod run;
mod script;
mod session;
mod state_dir;
mod tasks;
mod verify;

pub use interrupt::Interrupt;
pub use run::{Engine, Report};
pub use state_dir::StateDir;
