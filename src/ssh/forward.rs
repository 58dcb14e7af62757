use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use russh::ChannelMsg;
use russh::client::Msg;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::channel::Channel;
use super::hop::Hop;

/// A stream from a jump host to the host behind it.
///
/// russh hands a channel's data on from the task that drives the whole connection, and waits where there is no room: one host that is
/// not read would stop all others, and its own window adjustments too. So a task takes everything at once. What it holds is bounded by
/// the windows of the SSH connection inside, which are opened only as that is read.
pub struct Forward {
    hop: Arc<Hop>,
    incoming: mpsc::UnboundedReceiver<Bytes>,
    /// What of the last piece was not read yet.
    rest: Bytes,
    /// Bytes on their way from the task to the reader.
    held: Arc<AtomicUsize>,
    outgoing: Pin<Box<dyn AsyncWrite + Send>>,
    task: JoinHandle<()>,
}

/// More than all windows of a connection together; who sends more keeps to no window.
const MOST_HELD: usize = 256 << 20;

impl Forward {
    /// Takes over a channel of `hop`'s connection.
    pub fn new(hop: Arc<Hop>, channel: russh::Channel<Msg>) -> Self {
        let channel = Channel::of_stream(channel);
        let outgoing = Box::pin(channel.writer.make_writer());
        let held = Arc::new(AtomicUsize::new(0));
        let (sender, incoming) = mpsc::unbounded_channel();
        let task = tokio::spawn(take_all(channel, sender, Arc::clone(&held)));
        Self { hop, incoming, rest: Bytes::new(), held, outgoing, task }
    }
}

/// Takes everything off a channel until it ends or nobody reads it any more.
async fn take_all(mut channel: Channel, reader: mpsc::UnboundedSender<Bytes>, held: Arc<AtomicUsize>) {
    while let Some(message) = channel.reader.wait().await {
        let data = match message {
            ChannelMsg::Data { data } => data,
            // The host hung up; the jump host closes the channel only after this side has.
            ChannelMsg::Eof => return,
            _ => continue,
        };
        if held.fetch_add(data.len(), Ordering::Relaxed) > MOST_HELD || reader.send(data).is_err() {
            return;
        }
    }
    channel.closed = true;
}

impl Drop for Forward {
    fn drop(&mut self) {
        // The channel goes with the task, and is closed by that.
        self.task.abort();
    }
}

impl AsyncRead for Forward {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.incoming.poll_recv(cx)) {
                Some(piece) => self.rest = piece,
                None => {
                    return Poll::Ready(self.hop.why_ended().map_or(Ok(()), |reason| Err(io::Error::other(reason))));
                }
            }
        }
        let length = buf.remaining().min(self.rest.len());
        buf.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        self.held.fetch_sub(length, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Forward {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.outgoing.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.as_mut().poll_shutdown(cx)
    }
}
