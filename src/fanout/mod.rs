//! One thing done on many hosts at once: how many at a time, how long each may take, and how each ended.

#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod fanout;

pub use fanout::{Ended, Fanout, Miss};
