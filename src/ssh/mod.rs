//! `host` over SSH: dial, host keys, login, root and scripts. The only room that knows russh.

mod agent;
mod answer;
mod attempt;
mod auth;
mod channel;
mod client;
mod config;
mod denial;
mod dial;
mod escalate;
mod exec;
mod host;
mod host_certificate;
mod host_key;
mod host_pattern;
mod identity;
mod keyring;
mod known_hosts;
mod offer;
mod patience;
mod refusal;
mod session;
mod settings;
mod signer;
mod socket;

pub use dial::Dialer;
pub use host::SshHost;
pub use keyring::Keyring;
pub use settings::{Settings, UnknownHostKey, Via};
