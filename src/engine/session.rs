use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::events::{Event, Events};
use crate::host::{Connect, Exit, Host, HostError, Input, Output, Program, Request, User};

/// The right to use a connection now. Nobody who has one waits for anything but its own host.
pub struct Turn {
    /// `None` never: the semaphore is never closed.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Waits for one.
    pub async fn of(limit: &Arc<Semaphore>) -> Self {
        Self { _permit: Arc::clone(limit).acquire_owned().await.ok() }
    }
}

/// One host's connection for the whole of a run, and the fleet's limit on how much goes on at once.
#[derive(Clone)]
pub struct Session {
    host: Arc<dyn Host>,
    limit: Arc<Semaphore>,
    events: Events,
    doing: Arc<Mutex<Option<String>>>,
    way: Arc<dyn Connect>,
}

impl Session {
    /// A session over a connection; `way` leads to the same host once more.
    pub fn new(host: Arc<dyn Host>, way: Arc<dyn Connect>, limit: Arc<Semaphore>, events: Events) -> Self {
        Self { host, limit, events, doing: Arc::default(), way }
    }

    /// Another one to the same host, over a connection of its own.
    ///
    /// # Errors
    /// When there is no way to it any more.
    pub async fn anew(&self) -> Result<Self, HostError> {
        let host = self.way.connect().await?;
        Ok(Self { host, doing: Arc::default(), ..self.clone() })
    }

    /// The host's name in the inventory.
    pub fn name(&self) -> &str {
        self.host.name()
    }

    /// Whether the connection is there, as far as is known here.
    pub fn is_open(&self) -> bool {
        self.host.is_open()
    }

    /// Tells an event.
    pub fn tell(&self, event: Event) {
        self.events.tell(event);
    }

    /// Notes the command that runs now, or that none does.
    pub fn note(&self, command: Option<String>) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = command;
    }

    /// The command that runs now.
    pub fn doing(&self) -> Option<String> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for this host's turn.
    pub async fn turn(&self) -> Turn {
        Turn::of(&self.limit).await
    }

    /// Runs a script as root.
    pub async fn exec(
        &self,
        _turn: &Turn,
        script: SecretString,
        deadline: Duration,
        output: &mut dyn Output,
    ) -> Result<Exit, HostError> {
        self.host.exec(Request::script(script, User::Root, deadline), output).await
    }

    /// Runs a script as root beside everything else, for as long as there is input.
    pub async fn hold(&self, script: SecretString, input: Input, output: &mut dyn Output) -> Result<Exit, HostError> {
        let program = Program::Script { text: script, user: User::Root };
        let request = Request { program, input: Some(input), environment: Vec::new(), deadline: None };
        self.host.exec(request, output).await
    }

    /// Ends the connection.
    pub async fn close(&self) {
        self.host.close().await;
    }
}
