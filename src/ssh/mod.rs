//! `host` over SSH: dial, host keys, login, root and scripts. The only room that knows russh.

mod agent;
mod answer;
mod attempt;
mod auth;
mod backoff;
mod channel;
mod client;
mod config;
mod denial;
mod dial;
mod escalate;
mod exec;
mod forward;
mod hop;
mod hops;
mod host;
mod host_certificate;
mod host_key;
mod host_pattern;
mod identity;
mod keyring;
mod known_hosts;
mod line;
mod methods;
mod offer;
mod patience;
mod proxy_command;
mod refusal;
mod revoked_keys;
mod session;
mod settings;
mod signer;
mod socket;
mod ssh_config;
mod unwritten;
mod way;

pub use dial::Dialer;
pub use hops::Hops;
pub use host::SshHost;
pub use keyring::Keyring;
#[cfg(any(test, fuzzing))]
pub(crate) use known_hosts::KnownHosts;
pub use methods::Method;
pub use settings::{AddressFamily, KeepAlive, Settings, UnknownHostKey, Via};
#[cfg(any(test, fuzzing))]
pub(crate) use ssh_config::settings_where;
pub use ssh_config::{Resolved, SshConfig, Wanted};
pub use unwritten::unwritten_host_keys;
