use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// What an SSH connection can run over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream that can be ended from outside.
pub struct Line {
    stream: Box<dyn Stream>,
    hangup: Option<oneshot::Receiver<()>>,
    ended: bool,
}

/// Ends a [`Line`] when it is dropped, unless told that all went well.
///
/// russh drives a handshake in a task of its own, which outlives a `connect` that was given up.
#[derive(Debug)]
pub struct Hangup {
    line: Option<oneshot::Sender<()>>,
}

impl Line {
    /// `stream`, and the way to end it.
    pub fn over(stream: impl Stream + 'static) -> (Self, Hangup) {
        let (sender, receiver) = oneshot::channel();
        (Self { stream: Box::new(stream), hangup: Some(receiver), ended: false }, Hangup { line: Some(sender) })
    }

    fn has_ended(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(hangup) = &mut self.hangup
            && let Poll::Ready(hung_up) = Pin::new(hangup).poll(cx)
        {
            self.hangup = None;
            self.ended = hung_up.is_ok();
        }
        self.ended
    }
}

impl Hangup {
    /// The connection is to live.
    pub fn disarm(mut self) {
        self.line = None;
    }
}

impl Drop for Hangup {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            // It fails only where the connection has ended already.
            let _ = line.send(());
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.has_ended(cx) { Poll::Ready(Ok(())) } else { Pin::new(&mut self.stream).poll_read(cx, buf) }
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.has_ended(cx) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Where this fails the stream has ended by itself, and russh would tell nobody why.
        Pin::new(&mut self.stream).poll_shutdown(cx).map(|_| Ok(()))
    }
}
