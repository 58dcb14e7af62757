//! Files and trees as `scp` copies them: in place, a new file with the source's mode as far as the umask lets it, links followed.
//!
//! It needs nothing on the host but a shell, `dd`, `head` and `stat`, of coreutils or busybox: one script receives or sends everything as one stream.

mod get;
mod names;
mod put;
mod received;
mod source;

pub use get::get;
pub use put::put;
#[cfg(any(test, fuzzing))]
pub(crate) use received::Received;
