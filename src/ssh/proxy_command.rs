use std::env;
use std::ffi::OsString;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader, ReadBuf};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::watch;

use crate::base::{ProcessGroup, local_command, printable};

/// A local command whose stdin and stdout lead to a host. It is killed, with all that it started, when this
/// is dropped.
pub struct ProxyCommand {
    input: ChildStdin,
    output: ChildStdout,
    _group: ProcessGroup,
}

/// What a command said last on stderr.
#[derive(Debug, Clone)]
pub struct LastWords {
    line: Arc<Mutex<String>>,
    ended: watch::Receiver<bool>,
}

impl ProxyCommand {
    /// Starts `command` as `ssh` does: by the user's shell, which becomes it.
    pub fn start(command: &str) -> io::Result<(Self, LastWords)> {
        let shell = env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| OsString::from("/bin/sh"));
        let mut shell = local_command(shell);
        shell.arg("-c").arg(format!("exec {command}"));
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A Ctrl-C is for kfleet, which lets what must not be cut come to its end.
        let mut group = ProcessGroup::spawn(shell)?;
        let child = &mut group.leader;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let line = Arc::new(Mutex::new(String::new()));
        let (end, ended) = watch::channel(false);
        tokio::spawn(listen(errors, Arc::clone(&line), end));
        Ok((Self { input, output, _group: group }, LastWords { line, ended }))
    }
}

/// Keeps the last line that is not blank, as far as a line is one.
async fn listen(errors: ChildStderr, last: Arc<Mutex<String>>, end: watch::Sender<bool>) {
    const LONGEST_LINE: u64 = 4096;
    let mut errors = BufReader::new(errors);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut errors).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
        let text = printable(String::from_utf8_lossy(&line).trim());
        if !text.is_empty() {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = text;
        }
        line.clear();
    }
    end.send_replace(true);
}

impl LastWords {
    /// The last line, once the command has ended or had a moment to.
    pub async fn hear(mut self) -> Option<String> {
        let _ = tokio::time::timeout(Duration::from_millis(500), self.ended.wait_for(|ended| *ended)).await;
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (!line.is_empty()).then_some(line)
    }
}

impl AsyncRead for ProxyCommand {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, buf)
    }
}

impl AsyncWrite for ProxyCommand {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}
