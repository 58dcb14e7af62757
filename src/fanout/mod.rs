//! One thing done on many hosts at once: how many at a time, how long each may take, and how each ended; and a command's output
//! on the way back, in bounded memory.

mod command;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod fanout;
mod feed;
mod kept;
mod spool;

pub use command::{Running, Telling, Told, command};
pub use fanout::{Ended, Fanout, Miss};
pub use feed::Feed;
pub use kept::Kept;
pub use spool::Spool;
