use std::sync::Arc;

use russh::SendError;
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::{self, Signature};
use russh::keys::{HashAlg, PrivateKey, PublicKey, signature};
use thiserror::Error;

use super::agent::Agent;

/// What signs for a login.
pub enum Signer<'a> {
    /// An agent, with what is offered.
    Agent(&'a mut Agent),
    /// An agent, with the plain key that the certificate on offer is for: it does not hold the certificate.
    AgentsKey(&'a mut Agent),
    /// A key from a file, alone or for a certificate.
    File(Arc<PrivateKey>),
}

/// Why there is no signature.
#[derive(Debug, Error)]
pub enum SignError {
    /// The connection is gone.
    #[error("the server closed the connection")]
    Lost,
    /// The agent's answer.
    #[error("{0}")]
    Agent(#[from] russh::keys::Error),
    /// The key cannot sign.
    #[error("{0}")]
    Key(#[from] ssh_key::Error),
    /// The key cannot sign, for reasons that are not said.
    #[error("{0}")]
    Signature(#[from] signature::Error),
}

impl From<SendError> for SignError {
    fn from(_: SendError) -> Self {
        Self::Lost
    }
}

impl russh::Signer for Signer<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        offered: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Agent(agent) => Ok(agent.client.sign_request(offered, hash, data).await?),
            Self::AgentsKey(agent) => {
                let key = PublicKey::from(offered.public_key().key_data().clone());
                let plain = AgentIdentity::PublicKey { key, comment: String::new() };
                Ok(agent.client.sign_request(&plain, hash, data).await?)
            }
            Self::File(key) => {
                let signed: Signature = match key.key_data() {
                    KeypairData::Rsa(rsa) => signature::Signer::try_sign(&(rsa, hash), &data)?,
                    other => signature::Signer::try_sign(other, &data)?,
                };
                let signed = Encode::encode_vec(&signed).map_err(ssh_key::Error::from)?;
                signed.encode(&mut data).map_err(ssh_key::Error::from)?;
                Ok(data)
            }
        }
    }
}
