//! Recipes, readable top to bottom, and the pure planner: facts in, what is to be done out.

mod admin_certificate;
mod course;
mod from_scratch;
mod from_scratch_view;
mod from_scratch_words;
mod model;
mod one_control_plane;
mod openings;
mod pod_network;
mod ready;
mod recipe;
mod reinit;
mod reinit_addresses;
mod reinit_change;
mod remove;
mod reset;
mod restore;
#[cfg(test)]
mod tests;
mod undo;
mod up;

pub use from_scratch::{FromScratch, FromScratchOptions};
pub use model::{HostPlan, Plan, Planned, Stage, Wave};
pub use pod_network::pod_network;
pub use ready::Expectation;
pub use recipe::{Fleet, Recipe};
pub use reinit::{Reinit, ReinitOptions};
pub use remove::Remove;
pub use reset::Reset;
pub use restore::Restore;
pub use up::{Up, Workstation};
