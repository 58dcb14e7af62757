use std::sync::Arc;

use tokio::sync::mpsc;

use super::Event;

/// Where events are told. Telling never blocks.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn tell(&self, event: Event);
}

/// A sink that every room above can hold and clone.
pub type Events = Arc<dyn Sink>;

struct Channel(mpsc::UnboundedSender<Event>);

impl Sink for Channel {
    fn tell(&self, event: Event) {
        // A reader that has gone wants to hear nothing more.
        let _ = self.0.send(event);
    }
}

/// A sink and the end to read from; the reader ends when the last clone of the sink is dropped.
#[must_use]
pub fn channel() -> (Events, mpsc::UnboundedReceiver<Event>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Arc::new(Channel(sender)), receiver)
}
