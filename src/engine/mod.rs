//! Drives hosts: order, concurrency, interruption, deadlines. The only interpreter of actions; tells everything as events.
//!
//! [`Engine::run`] is the whole of it, top to bottom: gather, preflight, plan, ask, lock and look again, apply, verify.

mod aftermath;
mod apply;
mod approval;
mod diagnosis;
mod drive;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod engine;
mod failure;
mod foresee;
mod frames;
mod gather;
mod grant;
mod job;
mod lock;
mod progress;
mod pulse;
mod run;
mod script;
mod session;
mod settle;
mod state_dir;
mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod verify;

pub use approval::{Answers, Approval};
pub use engine::{Engine, Goal, Report};
#[cfg(any(test, fuzzing))]
pub(crate) use frames::{Frames, Line};
pub use lock::LockOn;
pub use state_dir::StateDir;
