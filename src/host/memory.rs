//! A host in memory: scripts run by the local `/bin/sh` in a directory of their own, or are answered by a closure.
//!
//! For speed and for faults only; what matters is proven on real hosts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use secrecy::ExposeSecret;

use super::{Connect, Exit, Host, HostError, Output, Program, Request, Stream};

/// What a script is answered: its stdout and how it ended.
pub type Answer = Result<(String, Exit), HostError>;

/// Answers scripts by a closure, which sees each one.
#[derive(Clone)]
pub struct MemoryHost {
    name: String,
    answer: Arc<dyn Fn(&str) -> Answer + Send + Sync>,
    refusals: Arc<Mutex<VecDeque<HostError>>>,
}

impl MemoryHost {
    /// A host that answers every script by `answer`.
    pub fn new(name: &str, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), answer: Arc::new(answer), refusals: Arc::default() }
    }

    /// Makes the next connection fail with `error`.
    #[must_use]
    pub fn refusing(self, error: HostError) -> Self {
        if let Ok(mut refusals) = self.refusals.lock() {
            refusals.push_back(error);
        }
        self
    }
}

#[async_trait]
impl Connect for MemoryHost {
    fn name(&self) -> &str {
        &self.name
    }

    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        let refusal = self.refusals.lock().ok().and_then(|mut refusals| refusals.pop_front());
        match refusal {
            Some(error) => Err(error),
            None => Ok(Arc::new(self.clone())),
        }
    }
}

#[async_trait]
impl Host for MemoryHost {
    fn name(&self) -> &str {
        &self.name
    }

    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        let (stdout, exit) = match &request.program {
            Program::Script { text, .. } => (self.answer)(text.expose_secret())?,
            Program::Line(line) => (self.answer)(line)?,
        };
        if !stdout.is_empty() {
            output.take(Stream::Stdout, stdout.as_bytes());
        }
        Ok(exit)
    }

    async fn close(&self) {}
}
