use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use crate::inventory;

/// How to reach one host and log in there.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name in every report; its key may also be known by it.
    pub name: String,
    /// The name or IP address to dial.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// Private keys to offer; the usual ones of `~/.ssh` where none is named.
    pub identities: Vec<PathBuf>,
    /// The socket of an ssh-agent.
    pub agent: Option<PathBuf>,
    /// Files of known host keys; OpenSSH's own where none is named.
    pub known_hosts: Vec<PathBuf>,
    /// The longest that connecting may take, login and the way to root included.
    pub connect_timeout: Duration,
    /// The user's password for sudo, where it wants one.
    pub sudo_password: Option<SecretString>,
}

impl Settings {
    /// The files of known host keys to read.
    pub(super) fn known_hosts_files(&self) -> Vec<PathBuf> {
        if !self.known_hosts.is_empty() {
            return self.known_hosts.iter().map(|path| at_home(path)).collect();
        }
        let system = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from);
        ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
            .iter()
            .map(|path| at_home(Path::new(path)))
            .chain(system)
            .collect()
    }

    /// The private keys to try, whether or not they are there.
    pub(super) fn identity_files(&self) -> Vec<PathBuf> {
        if !self.identities.is_empty() {
            return self.identities.iter().map(|path| at_home(path)).collect();
        }
        ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"].iter().map(|path| at_home(Path::new(path))).collect()
    }

    /// Host and port for people.
    pub(super) fn endpoint(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }
}

/// The agent is that of the environment (`SSH_AUTH_SOCK`); there is no password for sudo.
impl From<&inventory::Host> for Settings {
    fn from(host: &inventory::Host) -> Self {
        Self {
            name: host.name.clone(),
            address: host.address.clone(),
            port: host.ssh.port,
            user: host.ssh.user.clone(),
            identities: host.ssh.identities.clone(),
            agent: std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from),
            known_hosts: host.ssh.known_hosts.clone(),
            connect_timeout: host.ssh.connect_timeout,
            sudo_password: None,
        }
    }
}

/// `~/` at the start is the home directory, as in ssh_config.
fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), etcetera::home_dir()) {
        (Ok(rest), Ok(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
