//! What is wrong and why: facts to findings, and a failure's output to its likely cause. Pure.

mod api_endpoint;
mod cause;
mod enumeration;
mod finding;
mod living;
mod moved_away;
mod preflight;
mod readiness;
#[cfg(test)]
mod sample;
mod strangers;
mod symptom;
mod symptoms;

pub use cause::{Cause, cause};
pub use finding::{Finding, Stops};
pub use living::{Difference, differences, runs_cluster};
pub use moved_away::moved_away;
pub use preflight::preflight;
pub use readiness::not_ready;
pub use strangers::strangers;
