use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

/// A TCP connection that acknowledges at once while it is young.
///
/// sshd waits for an acknowledgement before it sends a second small packet (Nagle), and Linux delays one by 40 ms: the
/// two together cost that time once in every login.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    quick_reads: u8,
}

impl Socket {
    /// Reads that are acknowledged at once; a login takes fewer.
    const QUICK_READS: u8 = 40;

    /// Connects to `address`, from the address `from` where one is given.
    pub async fn connect(address: SocketAddr, from: Option<IpAddr>) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, quick_reads: Self::QUICK_READS })
    }

    fn acknowledge(&mut self) {
        if self.quick_reads > 0 {
            self.quick_reads -= 1;
            // The kernel forgets it after a while, so it is set again at each read; failing costs only time.
            #[cfg(target_os = "linux")]
            let _ = socket2::SockRef::from(&self.stream).set_tcp_quickack(true);
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.acknowledge();
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
