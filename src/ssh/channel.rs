use std::sync::Arc;

use russh::client::Msg;
use russh::{ChannelReadHalf, ChannelWriteHalf};
use tokio::runtime;
use tokio::sync::OwnedSemaphorePermit;

/// A channel that is closed when it is dropped, whoever drops it and when.
pub struct Channel {
    /// Must be read to its end, or the whole connection stands still.
    pub reader: ChannelReadHalf,
    /// Shared with whoever feeds the channel.
    pub writer: Arc<ChannelWriteHalf<Msg>>,
    /// Whether the server has closed it already.
    pub closed: bool,
    slot: Option<OwnedSemaphorePermit>,
}

impl Channel {
    /// Takes over an open channel and its slot.
    pub fn new(channel: russh::Channel<Msg>, slot: OwnedSemaphorePermit) -> Self {
        let mut channel = Self::of_stream(channel);
        channel.slot = Some(slot);
        channel
    }

    /// Takes over an open channel that is no session, of which a server has as many as are wanted.
    pub fn of_stream(channel: russh::Channel<Msg>) -> Self {
        let (reader, writer) = channel.split();
        Self { reader, writer: Arc::new(writer), closed: false, slot: None }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.closed {
            return;
        }
        let (writer, slot) = (Arc::clone(&self.writer), self.slot.take());
        // Without a runtime there is no connection any more either.
        if let Ok(runtime) = runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = writer.close().await;
                drop(slot);
            });
        }
    }
}
