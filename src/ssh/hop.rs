use std::sync::{Arc, OnceLock};

use russh::client::Handle;
use tokio::sync::oneshot;

use super::client::Client;
use super::forward::Forward;

/// A jump host that is logged in to: one connection, however many hosts lie behind it.
pub struct Hop {
    name: String,
    handle: Handle<Client>,
    ended: Arc<OnceLock<String>>,
}

impl Hop {
    /// Takes over the connection to the jump host `name`; `ended` will have the reason when it is lost.
    pub fn new(name: String, handle: Handle<Client>, ended: Arc<OnceLock<String>>) -> Self {
        Self { name, handle, ended }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the connection is lost.
    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Why the connection was lost, where it was.
    pub fn why_ended(&self) -> Option<String> {
        self.ended.get().map(|reason| format!("the jump host {}: {reason}", self.name))
    }

    /// A stream to a host that the jump host can reach; an address that is a name is resolved there.
    pub async fn open(self: &Arc<Self>, address: &str, port: u16) -> Result<Forward, russh::Error> {
        let (sender, receiver) = oneshot::channel();
        let (hop, address) = (Arc::clone(self), address.to_owned());
        // A task of its own, because a channel that opens after its caller is gone must still be closed; `Forward` does that when it
        // is dropped.
        tokio::spawn(async move {
            let opened = hop.handle.channel_open_direct_tcpip(address, port.into(), "127.0.0.1", 0).await;
            let _ = sender.send(opened.map(|channel| Forward::new(hop, channel)));
        });
        receiver.await.unwrap_or(Err(russh::Error::Disconnect))
    }
}
