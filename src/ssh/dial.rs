use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use russh::client::{self, Handle};

use super::auth::authenticate;
use super::client::{Client, ClientError, words};
use super::config::config;
use super::escalate::Escalation;
use super::host::SshHost;
use super::host_key::HostKeys;
use super::keyring::Keyring;
use super::patience::Patience;
use super::session::Session;
use super::settings::Settings;
use super::socket::Socket;
use crate::host::{Connect, Host, HostError};

/// A host that can be connected to by SSH.
pub struct Dialer {
    settings: Settings,
    keyring: Arc<Keyring>,
}

impl Dialer {
    /// Will connect as `settings` say, with keys from `keyring`.
    #[must_use]
    pub fn new(settings: Settings, keyring: Arc<Keyring>) -> Self {
        Self { settings, keyring }
    }

    /// The addresses behind the host's name, at least one.
    async fn resolve(&self, patience: &Patience) -> Result<Vec<SocketAddr>, HostError> {
        let failed = |reason: String| HostError::Resolve { address: self.settings.address.clone(), reason };
        let looking = tokio::net::lookup_host((self.settings.address.as_str(), self.settings.port));
        let found = patience.wait_for("its name was not resolved", looking).await?;
        let addresses: Vec<_> = found.map_err(|error| failed(error.to_string()))?.collect();
        if addresses.is_empty() { Err(failed("it has no address".to_owned())) } else { Ok(addresses) }
    }

    /// The first address that answers, each with its share of the time.
    async fn reach(&self, patience: &Patience) -> Result<Socket, HostError> {
        let addresses = self.resolve(patience).await?;
        let mut failures = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let share = patience.left() / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            match tokio::time::timeout(share, Socket::connect(*address)).await {
                Ok(Ok(socket)) => return Ok(socket),
                Ok(Err(error)) => failures.push((address, error.to_string())),
                Err(_) => failures.push((address, format!("no answer within {:.0} s", share.as_secs_f64()))),
            }
        }
        let reason = match failures.as_slice() {
            [(_, reason)] => reason.clone(),
            several => several.iter().map(|(to, reason)| format!("{to}: {reason}")).collect::<Vec<_>>().join("; "),
        };
        Err(self.unreachable(reason))
    }

    async fn shake_hands(
        &self,
        socket: Socket,
        ended: Arc<OnceLock<String>>,
        patience: &Patience,
    ) -> Result<Handle<Client>, HostError> {
        let host_keys = HostKeys::read(&self.settings)?;
        let config = Arc::new(config(host_keys.algorithms(), host_keys.certificate_algorithms()));
        let handshake = client::connect_stream(config, socket, Client { host_keys, ended });
        patience.wait_for("it took the connection, but there was no SSH handshake", handshake).await?.map_err(|error| {
            match error {
                ClientError::HostKey(error) => error,
                ClientError::Ssh(error) => self.unreachable(words(&error)),
            }
        })
    }

    async fn log_in(&self, patience: &Patience) -> Result<SshHost, HostError> {
        let settings = &self.settings;
        let socket = self.reach(patience).await?;
        let hangup = socket.hangup().map_err(|error| self.unreachable(error.to_string()))?;
        let ended = Arc::new(OnceLock::new());
        let mut handle = self.shake_hands(socket, Arc::clone(&ended), patience).await?;
        authenticate(&mut handle, settings, &self.keyring, patience).await?;
        let session = Arc::new(Session::new(handle, ended));
        let escalation = if settings.root {
            Escalation::probe(&session, settings, patience.left()).await.map_err(|error| match error {
                HostError::Deadline { .. } => patience.out("it let the user in, but ran nothing"),
                other => other,
            })?
        } else {
            Escalation::Unasked(settings.user.clone())
        };
        hangup.disarm();
        Ok(SshHost { name: settings.name.clone(), session, escalation })
    }

    fn unreachable(&self, reason: String) -> HostError {
        HostError::Unreachable { address: self.settings.endpoint(), reason }
    }
}

#[async_trait]
impl Connect for Dialer {
    fn name(&self) -> &str {
        &self.settings.name
    }

    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        let patience = Patience::of(self.settings.connect_timeout, self.settings.endpoint());
        Ok(Arc::new(self.log_in(&patience).await?))
    }
}
