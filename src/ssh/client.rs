use std::sync::{Arc, OnceLock};

use russh::client::{DisconnectReason, Handler};
use russh::keys::PublicKeyOrCertificate;

use super::host_key::HostKeys;
use crate::base::printable;
use crate::host::HostError;

/// What russh asks while it drives a connection.
pub struct Client {
    /// Decides on the server's key.
    pub host_keys: HostKeys,
    /// Is told why the connection ended, before its channels end.
    pub ended: Arc<OnceLock<String>>,
}

/// Why a handshake failed.
#[derive(Debug)]
pub enum ClientError {
    /// The server's key was refused.
    HostKey(HostError),
    /// Anything else.
    Ssh(russh::Error),
}

impl From<russh::Error> for ClientError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl Handler for Client {
    type Error = ClientError;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, ClientError> {
        let (key, certificate) = (key.public_key(), key.certificate());
        self.host_keys.not_revoked(&key, certificate).await.map_err(ClientError::HostKey)?;
        self.host_keys.verify(&key, certificate).map_err(ClientError::HostKey)?;
        Ok(true)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<ClientError>) -> Result<(), ClientError> {
        let words = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                format!("the server hung up: {}", printable(info.message.trim()))
            }
            DisconnectReason::Error(ClientError::Ssh(error)) => words(&error),
            DisconnectReason::Error(ClientError::HostKey(error)) => error.to_string(),
        };
        // The first reason is the cause.
        let _ = self.ended.set(words);
        Ok(())
    }
}

/// russh's error for the person at the keyboard.
pub fn words(error: &russh::Error) -> String {
    match error {
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::RecvError | russh::Error::SendError => {
            "the server closed the connection".to_owned()
        }
        russh::Error::KeepaliveTimeout | russh::Error::InactivityTimeout => {
            "no sign of life from the server any more".to_owned()
        }
        russh::Error::Version => "what answers there does not speak SSH".to_owned(),
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            format!("no {kind:?} algorithm in common; the server has {}", printable(&theirs.join(", ")))
        }
        russh::Error::WrongServerSig => "the server does not hold the host key that it shows".to_owned(),
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the server closed the connection".to_owned()
        }
        russh::Error::IO(error) => error.to_string(),
        other => printable(&other.to_string()),
    }
}
