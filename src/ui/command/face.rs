use std::io;

use crate::fanout::Ended;
use crate::host::{Exit, Stream};

/// One way to show a command on many hosts.
pub(super) trait Face {
    /// A host wrote something.
    ///
    /// # Errors
    /// When that cannot be shown.
    fn wrote(&mut self, host: usize, stream: Stream, bytes: &[u8]) -> io::Result<()>;

    /// A host ended.
    ///
    /// # Errors
    /// When that cannot be shown.
    fn ended(&mut self, ended: &Ended<Exit>) -> io::Result<()>;

    /// All hosts ended, like this, in the order of their names.
    ///
    /// # Errors
    /// When that cannot be shown.
    fn end(&mut self, ends: &[Ended<Exit>]) -> io::Result<()>;
}
