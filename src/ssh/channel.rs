use std::sync::Arc;

use russh::client::Msg;
use russh::{ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::runtime;
use tokio::sync::OwnedSemaphorePermit;

/// A channel that is closed when it is dropped, whoever drops it and when.
pub struct Channel {
    /// Must be read to its end, or the whole connection stands still.
    pub reader: ChannelReadHalf,
    /// Shared with whoever feeds the channel.
    pub writer: Arc<ChannelWriteHalf<Msg>>,
    end: End,
    slot: Option<OwnedSemaphorePermit>,
}

/// How a channel is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// What runs in it is told to stop.
    Stop,
    /// What still runs in it was left behind on purpose and is let be.
    Leave,
    /// The server has closed it already.
    Closed,
}

impl Channel {
    /// Takes over an open channel and its slot.
    pub fn new(channel: russh::Channel<Msg>, slot: OwnedSemaphorePermit) -> Self {
        let (reader, writer) = channel.split();
        Self { reader, writer: Arc::new(writer), end: End::Stop, slot: Some(slot) }
    }

    /// How it is to be left from now on.
    pub fn ends(&mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.end == End::Closed {
            return;
        }
        let (writer, end, slot) = (Arc::clone(&self.writer), self.end, self.slot.take());
        // Without a runtime there is no connection any more either.
        if let Ok(runtime) = runtime::Handle::try_current() {
            runtime.spawn(async move {
                // sshd sends no HUP where there is no terminal, so the process group is told by name.
                if end == End::Stop {
                    let _ = writer.signal(Sig::TERM).await;
                }
                let _ = writer.close().await;
                drop(slot);
            });
        }
    }
}
