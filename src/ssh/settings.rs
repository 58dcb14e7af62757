use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::methods::Method;

/// OpenSSH's own files of known host keys.
pub(super) const USER_KNOWN_HOSTS: [&str; 2] = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
/// The same of all users of this machine.
pub(super) const SYSTEM_KNOWN_HOSTS: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

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
    /// How to get to the address.
    pub via: Via,
    /// The ways to log in that may be tried, in this order; no other is, whatever the server takes.
    pub methods: Vec<Method>,
    /// The user's password there, where the server takes one. What it is reached through is never told it.
    pub password: Option<SecretString>,
    /// Private keys to offer; the usual ones of `~/.ssh` where none is named.
    pub identities: Vec<PathBuf>,
    /// Certificates for those keys, beside each key's own `-cert.pub`.
    pub certificates: Vec<PathBuf>,
    /// Whether of the agent's keys only those are offered that `identities` and `certificates` name.
    pub identities_only: bool,
    /// The socket of an ssh-agent.
    pub agent: Option<PathBuf>,
    /// Files of known host keys; OpenSSH's own where none is named. A new key is written to the first.
    pub known_hosts: Vec<PathBuf>,
    /// The name that its key is known by, in place of the address.
    pub host_key_alias: Option<String>,
    /// A file of host keys that are refused in any case.
    pub revoked_host_keys: Option<PathBuf>,
    /// Whether a new key is written down for a hash of its host's name, and not for the name.
    pub hash_known_hosts: bool,
    /// What becomes of a key that is not known.
    pub unknown_host_key: UnknownHostKey,
    /// The longest that connecting may take, login and the way to root included.
    pub connect_timeout: Duration,
    /// The longest that dialling and the handshake may take of it, ssh's ConnectTimeout: where jump hosts are on the way, from
    /// when those are there.
    pub dial_timeout: Option<Duration>,
    /// When a server that is silent is given up.
    pub keep_alive: KeepAlive,
    /// Of which kind the address is to be.
    pub address_family: AddressFamily,
    /// The address here that the connection comes from, or its name.
    pub bind_address: Option<String>,
    /// Asked of the server before anything runs there; it takes only what its `AcceptEnv` names.
    pub environment: Vec<(String, String)>,
    /// Whether anything is to run as root: then connecting finds out how to become it, and fails where that cannot be.
    pub root: bool,
    /// The user's password for sudo, where it wants one.
    pub sudo_password: Option<SecretString>,
}

/// How to get to a host.
#[derive(Debug, Clone, Default)]
pub enum Via {
    /// By TCP from here.
    #[default]
    Direct,
    /// Through these hosts, the nearest first, each reached through the one before it. One connection each, however many hosts
    /// lie behind it.
    Jumps(Vec<Settings>),
    /// Through a local command's stdin and stdout, `ProxyCommand` with its tokens replaced.
    Command(String),
}

/// What becomes of a host key that nothing is known of. One that has changed or is revoked is refused in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownHostKey {
    /// The host is not logged in to: `StrictHostKeyChecking yes`, and `ask`, since nobody is asked.
    #[default]
    Refuse,
    /// It is written to the first file of known host keys: `accept-new`, and `no`.
    Write,
}

/// When a server that is silent is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// How long it may be silent before it is asked for a sign of life.
    pub interval: Duration,
    /// How many of these it may leave unanswered.
    pub unanswered: usize,
}

/// Which of a name's addresses are dialled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AddressFamily {
    /// All of them.
    #[default]
    Any,
    /// Those of IPv4.
    V4,
    /// Those of IPv6.
    V6,
}

impl Settings {
    /// The way to a host as its address alone says it, with OpenSSH's defaults.
    #[must_use]
    pub fn to(name: &str, address: &str, user: &str) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            port: 22,
            user: user.to_owned(),
            via: Via::Direct,
            methods: Method::ALL.to_vec(),
            password: None,
            identities: Vec::new(),
            certificates: Vec::new(),
            identities_only: false,
            agent: std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from),
            known_hosts: Vec::new(),
            host_key_alias: None,
            revoked_host_keys: None,
            hash_known_hosts: false,
            unknown_host_key: UnknownHostKey::Refuse,
            connect_timeout: Duration::from_secs(10),
            dial_timeout: None,
            keep_alive: KeepAlive { interval: Duration::from_secs(15), unanswered: 3 },
            address_family: AddressFamily::Any,
            bind_address: None,
            environment: Vec::new(),
            root: true,
            sudo_password: None,
        }
    }

    /// The files of known host keys to read.
    pub(super) fn known_hosts_files(&self) -> Vec<PathBuf> {
        if !self.known_hosts.is_empty() {
            return self.known_hosts.iter().map(|path| at_home(path)).collect();
        }
        USER_KNOWN_HOSTS.iter().chain(&SYSTEM_KNOWN_HOSTS).map(|path| at_home(Path::new(path))).collect()
    }

    pub(super) fn revoked_host_keys_file(&self) -> Option<PathBuf> {
        self.revoked_host_keys.as_deref().map(at_home)
    }

    /// The private keys to try, whether or not they are there.
    pub(super) fn identity_files(&self) -> Vec<PathBuf> {
        if !self.identities.is_empty() {
            return self.identities.iter().map(|path| at_home(path)).collect();
        }
        ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"].iter().map(|path| at_home(Path::new(path))).collect()
    }

    /// The certificates to offer beside those that stand beside their keys.
    pub(super) fn certificate_files(&self) -> Vec<PathBuf> {
        self.certificates.iter().map(|path| at_home(path)).collect()
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

/// `~/` at the start is the home directory, as in ssh_config.
pub(super) fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), etcetera::home_dir()) {
        (Ok(rest), Ok(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
