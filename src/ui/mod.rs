//! How a run looks. Reads events, and nothing else of a run.
//!
//! ```text
//!                     ┌► Json   a JSON object an event            → stdout
//! events ──► show() ──┼► Plain  a line an event   ┐ prose: Story  → stderr
//!                     └► Bars   lines that live   ┘ the result    → stdout
//! ```

mod approval;
mod bars;
mod face;
mod failure;
mod json;
mod line;
mod look;
mod plain;
mod planned;
mod problems;
mod screen;
mod show;
mod story;
mod summary;
mod table;
mod took;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod scripted;

pub use look::Look;
pub use show::show;
