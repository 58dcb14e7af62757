use std::path::PathBuf;
use std::time::Duration;

use crate::inventory::{self, ConfigFile};

/// A host to be reached, with what is said of it elsewhere than in ssh_config, and comes before that.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Its name in every report.
    pub name: String,
    /// What `ssh` would be called with: a name or an IP address, or what ssh_config has as a `Host`.
    pub address: String,
    /// Who logs in.
    pub user: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Private keys, in place of ssh_config's.
    pub identities: Vec<PathBuf>,
    /// Files of known host keys, in place of ssh_config's.
    pub known_hosts: Vec<PathBuf>,
    /// The longest that connecting may take, in place of ssh_config's ConnectTimeout; what `-o` says of that comes on top.
    pub connect_timeout: Option<Duration>,
    /// The same where nobody says it; on top comes what ssh_config says, too.
    pub patience: Option<Duration>,
    /// The jump hosts on the way, in place of ssh_config's; none at all where the list is empty. They have the keys and the known
    /// host keys that are said here.
    pub jump: Option<Vec<String>>,
    /// What is read as ssh_config.
    pub config: Option<ConfigFile>,
}

impl From<&inventory::Host> for Wanted {
    fn from(host: &inventory::Host) -> Self {
        let inventory::Ssh { user, port, identities, known_hosts, connect_timeout, jump, config } = host.ssh.clone();
        let (name, address) = (host.name.clone(), host.address.clone());
        Self { name, address, user, port, identities, known_hosts, connect_timeout, patience: None, jump, config }
    }
}
