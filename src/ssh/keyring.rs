use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::keys::PublicKey;
use secrecy::{ExposeSecret, SecretString};

use super::agent;
use super::identity::{Identity, KeyProblem};
use super::methods::Method;
use super::settings::{Settings, Via};

/// The private keys of a run, shared by all hosts: each file is read once, and its passphrase asked for once. It also keeps in
/// mind who was told a wrong password, so that nobody is told it twice.
#[derive(Default)]
pub struct Keyring {
    identities: Mutex<HashMap<PathBuf, Arc<Identity>>>,
    refused: Mutex<HashSet<(String, String)>>,
}

impl Keyring {
    /// How often a passphrase may be mistyped, as with `ssh`.
    const TRIES: usize = 3;

    /// Keys with a passphrase stay locked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `ask` for the passphrase of each locked key that these hosts want, and returns when all is said: from then on
    /// nobody is asked, so that whatever draws on the terminal has it for itself. `None`, or an empty passphrase, leaves a key locked.
    ///
    /// A key is wanted where it is named and no agent holds it; of the usual ones, where nothing else is there to offer.
    pub fn unlock(&self, hosts: &[Settings], mut ask: impl FnMut(&Path) -> Option<SecretString>) {
        for path in self.wanted(hosts) {
            for _ in 0..Self::TRIES {
                let Some(passphrase) = ask(&path).filter(|passphrase| !passphrase.expose_secret().is_empty()) else {
                    break;
                };
                let identity = Identity::read(&path).unlocked(&passphrase);
                let again = identity.private.as_ref().is_err_and(|problem| *problem == KeyProblem::WrongPassphrase);
                self.lock().insert(path.clone(), Arc::new(identity));
                if !again {
                    break;
                }
            }
        }
    }

    /// What is in a private key's file and beside it.
    pub(super) fn identity(&self, path: &Path) -> Arc<Identity> {
        Arc::clone(self.lock().entry(path.to_owned()).or_insert_with(|| Arc::new(Identity::read(path))))
    }

    /// Whether this host has refused its user's password before.
    pub(super) fn has_refused(&self, host: &Settings) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(&whose(host))
    }

    /// Keeps in mind that this host has refused its user's password.
    pub(super) fn refuse(&self, host: &Settings) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(whose(host));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Identity>>> {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files to ask for, each once.
    fn wanted(&self, hosts: &[Settings]) -> Vec<PathBuf> {
        let mut all = Vec::new();
        hosts.iter().for_each(|host| with_jumps(host, &mut all));
        let (mut seen, mut held, mut wanted) = (HashSet::new(), HashMap::new(), Vec::new());
        for host in all.into_iter().filter(|host| host.methods.contains(&Method::PublicKey)) {
            let files = host.identity_files();
            // Most hosts of a fleet want the same.
            if !seen.insert((files.clone(), host.agent.clone(), host.password.is_some())) {
                continue;
            }
            let identities: Vec<_> = files.iter().map(|file| self.identity(file)).collect();
            let locked = |identity: &&Arc<Identity>| identity.private.as_ref().err() == Some(&KeyProblem::Locked);
            if !identities.iter().any(|identity| locked(&identity)) {
                continue;
            }
            let held: &Vec<PublicKey> = held
                .entry(host.agent.clone())
                .or_insert_with(|| host.agent.as_deref().map_or_else(Vec::new, agent::held));
            let other = host.password.is_some() || !held.is_empty() || identities.iter().any(|key| key.private.is_ok());
            if host.identities.is_empty() && other {
                continue;
            }
            let in_agent = |identity: &Arc<Identity>| {
                let public = identity.public.as_ref();
                public.is_some_and(|public| held.iter().any(|key| key.key_data() == public.key_data()))
            };
            for identity in identities.iter().filter(locked).filter(|identity| !in_agent(identity)) {
                if !wanted.contains(&identity.path) {
                    wanted.push(identity.path.clone());
                }
            }
        }
        wanted
    }
}

/// An account, by whichever name its host is called.
fn whose(host: &Settings) -> (String, String) {
    (host.user.clone(), host.endpoint())
}

/// `host` and what it is reached through.
fn with_jumps<'a>(host: &'a Settings, all: &mut Vec<&'a Settings>) {
    if let Via::Jumps(jumps) = &host.via {
        jumps.iter().for_each(|jump| with_jumps(jump, all));
    }
    all.push(host);
}
