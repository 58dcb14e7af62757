use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
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

    /// Runs a program to its end and hands over its output as it comes.
    ///
    /// `output` is called from the task that reads the connection and must not block.
    ///
    /// # Errors
    /// When the program could not be started, or its end was never seen. One that ran and failed is an [`Exit`].
    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError>;

    /// Whether the connection is there, as far as is known here.
    fn is_open(&self) -> bool {
        true
    }

    /// Waits until what was given up on the host is ended there.
    async fn settle(&self) {}

    /// The same, and ends the connection in good order.
    async fn close(&self);
}

/// Something to run on a host, and how.
pub struct Request {
    /// What is run.
    pub program: Program,
    /// What its commands read on stdin; nothing where there is none.
    pub input: Option<Input>,
    /// Asked of the server before the program starts; OpenSSH's takes only what its `AcceptEnv` names.
    pub environment: Vec<(String, String)>,
    /// The longest that it may take, from the request to the exit status. What still runs then is ended.
    pub deadline: Option<Duration>,
}

impl Request {
    /// A script for `/bin/sh`.
    #[must_use]
    pub fn script(text: SecretString, user: User, deadline: Duration) -> Self {
        let program = Program::Script { text, user };
        Self { program, input: None, environment: Vec::new(), deadline: Some(deadline) }
    }

    /// A command line, as `ssh HOST LINE` runs it, for as long as it takes.
    #[must_use]
    pub fn line(line: &str) -> Self {
        let program = Program::Line(line.to_owned());
        Self { program, input: None, environment: Vec::new(), deadline: None }
    }

    /// The same with this to read on stdin.
    #[must_use]
    pub fn reading(self, input: Input) -> Self {
        Self { input: Some(input), ..self }
    }
}

/// What is run on a host.
pub enum Program {
    /// A script for `/bin/sh`. It travels on stdin, never in argv; what its commands read there comes after it.
    Script {
        /// The script.
        text: SecretString,
        /// Who runs it.
        user: User,
    },
    /// A command line for the login shell of the user that logged in, whichever shell that is. Every user of the host can
    /// read it in argv. An empty one is that shell itself, which reads commands on stdin.
    Line(String),
}

/// What a program reads on stdin, piece by piece; its end is the end of stdin. A piece is asked for when the host has room.
pub type Input = BoxStream<'static, Bytes>;

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
