use std::path::Path;
use std::time::Duration;

use russh::client::Handle;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::keys::{Certificate, PublicKey};
use tokio::runtime;

use super::client::Client;

/// An ssh-agent and what it holds.
pub struct Agent {
    /// Signs for a login.
    pub client: AgentClient<Box<dyn AgentStream + Send + Unpin>>,
    /// What it can sign with, in its own order.
    pub held: Vec<Held>,
}

/// A key of an agent.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its public half.
    pub key: PublicKey,
    /// Where the agent holds it with one.
    pub certificate: Option<Certificate>,
    /// The agent's name for it.
    pub comment: String,
}

impl Agent {
    /// Asks the agent at `socket` what it holds.
    pub async fn connect(socket: &Path, session: &Handle<Client>) -> Result<Self, russh::keys::Error> {
        let mut client = AgentClient::connect_uds(socket).await?.dynamic();
        if let Some(binding) = session.agent_session_binding() {
            // An agent that does not know the extension says no, and holds no keys that need it.
            let _ = client.bind_session(binding, false).await;
        }
        let held = client.request_identities().await?.into_iter().map(Held::from).collect();
        Ok(Self { client, held })
    }
}

impl From<AgentIdentity> for Held {
    fn from(identity: AgentIdentity) -> Self {
        match identity {
            AgentIdentity::PublicKey { key, comment } => Self { key, certificate: None, comment },
            AgentIdentity::Certificate { certificate, comment } => {
                let key = PublicKey::from(certificate.public_key().clone());
                Self { key, certificate: Some(certificate), comment }
            }
        }
    }
}

/// The keys that the agent at `socket` holds; none where it does not answer. Blocks, for at most five seconds.
pub fn held(socket: &Path) -> Vec<PublicKey> {
    let socket = socket.to_owned();
    // A thread of its own, because whoever asks may be a task of another runtime.
    let asking = std::thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async {
            let asking = async { AgentClient::connect_uds(&socket).await?.request_identities().await };
            tokio::time::timeout(Duration::from_secs(5), asking).await.ok()?.ok()
        })
    });
    let held = asking.join().ok().flatten().unwrap_or_default();
    held.into_iter().map(|identity| Held::from(identity).key).collect()
}
