//! How a command on many hosts is shown. Reads what is told of it, and nothing else.
//!
//! ```text
//!                       ┌► Lines     `host: line` as it comes
//! Telling ──► attend() ─┼► Gathered  equal outputs once, or what differs; at the end
//!                       └► Json      an object a line, for programs
//! ```

mod attend;
mod differences;
mod face;
mod files;
mod gathered;
mod json;
mod lines;
mod manner;
mod sheet;
mod summary;

pub use attend::attend;
pub use files::Files;
pub use manner::{Manner, Shape};
pub use sheet::Surface;
pub use summary::{reason, summary};
