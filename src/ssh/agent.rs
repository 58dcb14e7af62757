use std::path::Path;

use russh::client::Handle;
use russh::keys::PublicKey;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};

use super::client::Client;

/// An ssh-agent and the keys it holds.
pub struct Agent {
    /// Signs for a login.
    pub signer: AgentClient<Box<dyn AgentStream + Send + Unpin>>,
    /// What it can sign with, in its own order, with its names for them.
    pub keys: Vec<(PublicKey, String)>,
}

impl Agent {
    /// Asks the agent at `socket` what it holds.
    pub async fn connect(socket: &Path, session: &Handle<Client>) -> Result<Self, russh::keys::Error> {
        let mut signer = AgentClient::connect_uds(socket).await?.dynamic();
        if let Some(binding) = session.agent_session_binding() {
            // An agent that does not know the extension says no, and holds no keys that need it.
            let _ = signer.bind_session(binding, false).await;
        }
        let keys = signer.request_identities().await?.into_iter().filter_map(|identity| match identity {
            AgentIdentity::PublicKey { key, comment } => Some((key, comment)),
            AgentIdentity::Certificate { .. } => None,
        });
        Ok(Self { signer, keys: keys.collect() })
    }
}
