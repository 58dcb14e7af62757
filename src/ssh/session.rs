use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use russh::Disconnect;
use russh::client::Handle;
use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::channel::Channel;
use super::client::Client;
use crate::host::HostError;

/// A connection after login.
pub struct Session {
    handle: Handle<Client>,
    ended: Arc<OnceLock<String>>,
    /// Below sshd's MaxSessions, which is 10: what was given up may hold one until sshd has seen it.
    slots: Arc<Semaphore>,
    /// What is to be done before the connection is closed.
    chores: Mutex<JoinSet<()>>,
}

impl Session {
    const CHANNELS: usize = 8;
    /// How long a server may have no room for a session.
    const FULL: Duration = Duration::from_secs(10);

    /// Takes over a connection; `ended` will have the reason when it is lost.
    pub fn new(handle: Handle<Client>, ended: Arc<OnceLock<String>>) -> Self {
        Self { handle, ended, slots: Arc::new(Semaphore::new(Self::CHANNELS)), chores: Mutex::default() }
    }

    /// A new channel, once there is room for one.
    ///
    /// # Errors
    /// Where the connection is lost, or the server opens none for a while.
    pub async fn open(self: &Arc<Self>) -> Result<Channel, HostError> {
        let start = Instant::now();
        loop {
            match self.try_open().await {
                Ok(channel) => return Ok(channel),
                // sshd's answer beyond MaxSessions, which may be set lower, or be used up by what is just ending.
                Err(russh::Error::ChannelOpenFailure(failure)) if start.elapsed() > Self::FULL => {
                    return Err(HostError::Lost { reason: format!("the server opens no session ({failure:?})") });
                }
                Err(russh::Error::ChannelOpenFailure(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(_) => return Err(self.lost()),
            }
        }
    }

    async fn try_open(self: &Arc<Self>) -> Result<Channel, russh::Error> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| russh::Error::Disconnect)?;
        let (sender, receiver) = oneshot::channel();
        let session = Arc::clone(self);
        // A task of its own, because a channel that opens after its caller is gone must still be closed; `Channel` does
        // that when it is dropped.
        tokio::spawn(async move {
            let opened = session.handle.channel_open_session().await.map(|channel| Channel::new(channel, slot));
            let _ = sender.send(opened);
        });
        receiver.await.unwrap_or(Err(russh::Error::Disconnect))
    }

    /// Why the connection, or a channel of it, ended too early.
    pub fn lost(&self) -> HostError {
        let reason = match self.ended.get() {
            Some(reason) => reason.clone(),
            None if self.handle.is_closed() => "the server closed the connection".to_owned(),
            None => "the server closed the channel without an exit status".to_owned(),
        };
        HostError::Lost { reason }
    }

    /// Waits until the server has answered: by then it has sent what it had to say before, as far as there was room for it.
    pub async fn ping(&self) {
        // Where the connection is lost, its channels say so.
        let _ = self.handle.send_ping().await;
    }

    /// Does `chore` in the background, on this connection; it must end by itself.
    pub fn meanwhile(&self, chore: impl Future<Output = ()> + Send + 'static) {
        // Without a runtime there is no connection any more either.
        if let Ok(runtime) = runtime::Handle::try_current() {
            let mut chores = self.chores.lock().unwrap_or_else(PoisonError::into_inner);
            while chores.try_join_next().is_some() {}
            chores.spawn_on(chore, &runtime);
        }
    }

    /// Whether the connection is there, as far as is known here.
    pub fn is_open(&self) -> bool {
        !self.handle.is_closed()
    }

    /// Waits for what is done in the background.
    pub async fn settle(&self) {
        let mut chores = std::mem::take(&mut *self.chores.lock().unwrap_or_else(PoisonError::into_inner));
        while chores.join_next().await.is_some() {}
    }

    /// The same, says goodbye and waits, shortly, for the connection to end.
    pub async fn close(&self) {
        self.settle().await;
        if self.handle.disconnect(Disconnect::ByApplication, "", "").await.is_err() {
            return;
        }
        for _ in 0..50 {
            if self.handle.is_closed() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
