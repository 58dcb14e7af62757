use std::io;

use crate::events::Event;

/// One way to show a run.
pub(super) trait Face: Send {
    /// Takes the next event.
    fn show(&mut self, event: &Event) -> io::Result<()>;

    /// Whether [`tick`](Self::tick) wants to be called ten times a second.
    fn is_live(&self) -> bool {
        false
    }

    /// Brings what lives up to date.
    fn tick(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// There are no more events.
    fn end(&mut self) -> io::Result<()>;
}
