use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use futures::future::BoxFuture;
use russh::ChannelOpenFailure;
use russh::client::{self, Handle};

use super::auth::authenticate;
use super::backoff::Backoff;
use super::client::{Client, ClientError, words};
use super::config::config;
use super::hop::Hop;
use super::hops::Hops;
use super::host_key::HostKeys;
use super::keyring::Keyring;
use super::line::{Hangup, Line};
use super::patience::Patience;
use super::proxy_command::{LastWords, ProxyCommand};
use super::settings::{AddressFamily, Settings, Via};
use super::socket::Socket;
use crate::base::printable;
use crate::host::HostError;

/// The way to a host, from nothing to a user who is logged in.
pub struct Way {
    settings: Settings,
    keyring: Arc<Keyring>,
    hops: Arc<Hops>,
}

/// A connection whose user is logged in.
pub struct Login {
    /// The connection.
    pub handle: Handle<Client>,
    /// Will have the reason when it is lost.
    pub ended: Arc<OnceLock<String>>,
    /// Ends it, unless disarmed.
    pub hangup: Hangup,
}

/// What an SSH connection is to run over.
struct Reached {
    line: Line,
    hangup: Hangup,
    last_words: Option<LastWords>,
}

/// Why there is no connection.
struct Failed {
    error: HostError,
    /// Whether another attempt may fare better.
    busy: bool,
}

impl From<HostError> for Failed {
    fn from(error: HostError) -> Self {
        Self { error, busy: false }
    }
}

impl Way {
    /// As `settings` say, with keys from `keyring` and jump hosts of `hops`.
    pub fn new(settings: Settings, keyring: Arc<Keyring>, hops: Arc<Hops>) -> Self {
        Self { settings, keyring, hops }
    }

    /// What it goes by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Dials, verifies the host's key and logs in. Boxed, because a way may lead through others.
    pub fn log_in<'a>(&'a self, patience: &'a Patience) -> BoxFuture<'a, Result<Login, HostError>> {
        async move {
            let mut login = self.greet(patience).await?;
            authenticate(&mut login.handle, &self.settings, &self.keyring, patience).await?;
            Ok(login)
        }
        .boxed()
    }

    /// A connection that the server has taken, again and again where it is busy.
    async fn greet(&self, patience: &Patience) -> Result<Login, HostError> {
        let mut backoff = Backoff::default();
        loop {
            let failed = match self.try_to_greet(patience).await {
                Ok(login) => return Ok(login),
                Err(failed) => failed,
            };
            match backoff.next().filter(|pause| failed.busy && *pause < patience.left()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(failed.error),
            }
        }
    }

    async fn try_to_greet(&self, patience: &Patience) -> Result<Login, Failed> {
        let hop = match &self.settings.via {
            Via::Jumps(jumps) if !jumps.is_empty() => Some(self.hops.last_of(jumps, &self.keyring, patience).await?),
            Via::Direct | Via::Jumps(_) | Via::Command(_) => None,
        };
        let patience = &patience.at_most(self.settings.dial_timeout);
        let Reached { line, hangup, last_words } = match (&self.settings.via, hop) {
            (_, Some(hop)) => self.through(&hop, patience).await?,
            (Via::Direct | Via::Jumps(_), None) => self.directly(patience).await?,
            (Via::Command(command), None) => self.by(command)?,
        };
        let ended = Arc::new(OnceLock::new());
        match self.shake_hands(line, Arc::clone(&ended), patience).await {
            Ok(handle) => Ok(Login { handle, ended, hangup }),
            Err(failed) => {
                let Some(last_words) = last_words else { return Err(failed) };
                let HostError::Unreachable { address, reason } = failed.error else { return Err(failed) };
                let reason = match last_words.hear().await {
                    Some(line) => format!("{reason}; its ProxyCommand says: {line}"),
                    None => format!("{reason}; it was reached through its ProxyCommand"),
                };
                // `ssh` tries no command twice either: it may ask a person for something.
                Err(HostError::Unreachable { address, reason }.into())
            }
        }
    }

    /// The first address that answers, each with its share of the time.
    async fn directly(&self, patience: &Patience) -> Result<Reached, HostError> {
        let addresses = self.resolve(patience).await?;
        let own = self.own_addresses(patience).await?;
        let mut failures = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let share = patience.left() / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            let from = own.iter().find(|own| own.is_ipv4() == address.is_ipv4()).or(own.first()).copied();
            match tokio::time::timeout(share, Socket::connect(*address, from)).await {
                Ok(Ok(socket)) => {
                    let (line, hangup) = Line::over(socket);
                    return Ok(Reached { line, hangup, last_words: None });
                }
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

    /// The addresses here of which the connection is to come from one; none where that does not matter.
    async fn own_addresses(&self, patience: &Patience) -> Result<Vec<IpAddr>, HostError> {
        let Some(name) = &self.settings.bind_address else { return Ok(Vec::new()) };
        let looking = tokio::net::lookup_host((name.as_str(), 0));
        let found = patience.wait_for("the name of its BindAddress was not resolved", looking).await?;
        let found = found.map_err(|error| self.unreachable(format!("its BindAddress {}: {error}", printable(name))))?;
        Ok(found.map(|address| address.ip()).collect())
    }

    /// The addresses behind the host's name, at least one.
    async fn resolve(&self, patience: &Patience) -> Result<Vec<SocketAddr>, HostError> {
        let settings = &self.settings;
        let failed = |reason: String| HostError::Resolve { address: settings.address.clone(), reason };
        let looking = tokio::net::lookup_host((settings.address.as_str(), settings.port));
        let found = patience.wait_for("its name was not resolved", looking).await?;
        let found = found.map_err(|error| failed(error.to_string()))?;
        let addresses: Vec<_> = found
            .filter(|address| match settings.address_family {
                AddressFamily::Any => true,
                AddressFamily::V4 => address.is_ipv4(),
                AddressFamily::V6 => address.is_ipv6(),
            })
            .collect();
        match settings.address_family {
            _ if !addresses.is_empty() => Ok(addresses),
            AddressFamily::Any => Err(failed("it has no address".to_owned())),
            AddressFamily::V4 => Err(failed("it has no address of IPv4".to_owned())),
            AddressFamily::V6 => Err(failed("it has no address of IPv6".to_owned())),
        }
    }

    async fn through(&self, hop: &Arc<Hop>, patience: &Patience) -> Result<Reached, Failed> {
        let Settings { address, port, .. } = &self.settings;
        let jump = hop.name();
        let late = format!("the jump host {jump} did not connect to it");
        let error = match patience.wait_for(&late, hop.open(address, *port)).await? {
            Ok(forward) => {
                let (line, hangup) = Line::over(forward);
                return Ok(Reached { line, hangup, last_words: None });
            }
            Err(error) => error,
        };
        let failure = match error {
            russh::Error::ChannelOpenFailure(failure) => failure,
            other => {
                let reason = hop.why_ended().unwrap_or_else(|| format!("the jump host {jump}: {}", words(&other)));
                return Err(self.unreachable(reason).into());
            }
        };
        let busy = failure == ChannelOpenFailure::ResourceShortage;
        let reason = match failure {
            ChannelOpenFailure::ConnectFailed => format!("the jump host {jump} cannot connect to it"),
            ChannelOpenFailure::AdministrativelyProhibited => {
                format!("the jump host {jump} forbids it (AllowTcpForwarding or PermitOpen in its sshd_config)")
            }
            other => format!("the jump host {jump} opens no way to it ({other:?})"),
        };
        Err(Failed { error: self.unreachable(reason), busy })
    }

    fn by(&self, command: &str) -> Result<Reached, HostError> {
        let started = ProxyCommand::start(command);
        let (command, last_words) =
            started.map_err(|error| self.unreachable(format!("its ProxyCommand cannot be started: {error}")))?;
        let (line, hangup) = Line::over(command);
        Ok(Reached { line, hangup, last_words: Some(last_words) })
    }

    async fn shake_hands(
        &self,
        line: Line,
        ended: Arc<OnceLock<String>>,
        patience: &Patience,
    ) -> Result<Handle<Client>, Failed> {
        let host_keys = HostKeys::read(&self.settings)?;
        let config =
            Arc::new(config(host_keys.algorithms(), host_keys.certificate_algorithms(), self.settings.keep_alive));
        let handshake = client::connect_stream(config, line, Client { host_keys, ended });
        let shaken = patience.wait_for("it took the connection, but there was no SSH handshake", handshake).await?;
        shaken.map_err(|error| match error {
            ClientError::HostKey(error) => error.into(),
            // sshd hangs up on whom it has no room for: MaxStartups.
            ClientError::Ssh(error) => Failed { busy: is_hangup(&error), error: self.unreachable(words(&error)) },
        })
    }

    fn unreachable(&self, reason: String) -> HostError {
        HostError::Unreachable { address: self.settings.endpoint(), reason }
    }
}

fn is_hangup(error: &russh::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    match error {
        russh::Error::Disconnect | russh::Error::HUP => true,
        russh::Error::IO(error) => matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof),
        _ => false,
    }
}
