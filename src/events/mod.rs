//! What can happen in a run, in the past tense, and where it is told.

mod approval;
mod event;
mod sink;

pub use approval::{Reply, ToChange};
pub use event::{Event, Failure, FailureKind, Outcome, PlannedAction, Severity, Tally};
pub use sink::{Events, Sink, channel};
