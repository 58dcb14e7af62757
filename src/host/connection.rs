use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::HostError;

/// A host that can be connected to.
#[async_trait]
pub trait Connect: Send + Sync {
    /// The host's name in the inventory.
    fn name(&self) -> &str;

    /// Dials, verifies the host's key, authenticates and finds out how to become root.
    ///
    /// # Errors
    /// Everything that keeps a usable connection from being there; nothing has changed on the host then.
    async fn connect(&self) -> Result<Arc<dyn Host>, HostError>;
}

/// One connection to one host, shared by everything that a run does there.
#[async_trait]
pub trait Host: Send + Sync {
    /// The host's name in the inventory.
    fn name(&self) -> &str;

    /// Runs a script to its end and hands over its output as it comes.
    ///
    /// `output` is called from the task that reads the connection and must not block.
    ///
    /// # Errors
    /// When the script could not be started, or its end was never seen. A script that ran and failed is an [`Exit`].
    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError>;

    /// Ends the connection in good order.
    async fn close(&self);
}

/// A script for `/bin/sh` and how to run it.
#[derive(Debug)]
pub struct Request {
    /// Travels on stdin, never in argv. Its commands must not read stdin themselves.
    pub script: SecretString,
    /// Who runs it.
    pub user: User,
    /// The longest that it may take, from the request to the exit status.
    pub deadline: Duration,
}

/// Who runs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// The user that logged in.
    Login,
    /// root, by sudo where another user logged in.
    Root,
}

/// Where a script's output goes, piece by piece and as raw bytes.
pub trait Output: Send {
    /// Takes one piece, of at least one byte.
    fn take(&mut self, stream: Stream, bytes: &[u8]);
}

impl<F: FnMut(Stream, &[u8]) + Send> Output for F {
    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        self(stream, bytes);
    }
}

/// Which of its two streams a script wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

/// How a script ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(u32),
    /// By this signal, named without SIG.
    Signal(String),
}

impl Exit {
    /// Whether the script said that all went well.
    #[must_use]
    pub fn success(&self) -> bool {
        *self == Self::Status(0)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "killed by SIG{signal}"),
        }
    }
}
