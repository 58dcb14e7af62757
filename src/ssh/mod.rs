//! `host` over SSH: dial, host keys, login, root and scripts. The only room that knows russh.

mod agent;
mod auth;
mod backoff;
mod channel;
mod client;
mod config;
mod dial;
mod escalate;
mod exec;
mod forward;
mod hop;
mod hops;
mod host;
mod host_key;
mod keyring;
mod known_hosts;
mod line;
mod patience;
mod proxy_command;
mod session;
mod settings;
mod socket;
mod ssh_config;
mod way;

pub use dial::Dialer;
pub use hops::Hops;
pub use host::SshHost;
pub use keyring::Keyring;
pub use settings::{AddressFamily, KeepAlive, Settings, UnknownHostKey, Via};
pub use ssh_config::{Resolved, SshConfig, Wanted};
