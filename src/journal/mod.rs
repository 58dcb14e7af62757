//! Runs on disk: each is a file of events, one JSON object a line, written as they happen; listed, and read again.

mod entry;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod journal;
mod recorder;

pub use entry::Entry;
pub use journal::{Journal, Listed};
pub use recorder::Recorder;
