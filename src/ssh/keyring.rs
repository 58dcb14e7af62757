use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::{PrivateKey, PublicKey, decode_secret_key, load_public_key};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Asks a person for the passphrase of the key in a file; `None` is a "no".
type AskPassphrase = dyn Fn(&Path) -> Option<SecretString> + Send + Sync;

/// The private keys of a run, shared by all hosts, so that a passphrase is asked for once and not once a host.
#[derive(Default)]
pub struct Keyring {
    ask: Option<Arc<AskPassphrase>>,
    unlocked: Mutex<HashMap<PathBuf, Result<Arc<PrivateKey>, KeyProblem>>>,
}

/// A private key's file, as far as it can be known without its passphrase.
#[derive(Debug)]
pub(super) struct Identity {
    pub path: PathBuf,
    /// From the `.pub` beside it, or from the file itself.
    pub public: Option<PublicKey>,
    pub state: IdentityState,
}

/// Whether a private key is at hand.
#[derive(Debug)]
pub(super) enum IdentityState {
    Ready(Arc<PrivateKey>),
    Encrypted,
    Unusable(KeyProblem),
}

/// Why a private key cannot be used.
#[derive(Debug, Clone)]
pub(super) enum KeyProblem {
    Missing,
    Unreadable(String),
    /// Nobody is there to ask, or they would not say.
    NoPassphrase,
    WrongPassphrase,
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Unreadable(reason) => write!(f, "cannot be read: {reason}"),
            Self::NoPassphrase => f.write_str("it has a passphrase, and none was given"),
            Self::WrongPassphrase => f.write_str("the passphrase is wrong"),
        }
    }
}

impl Keyring {
    /// Keys with a passphrase stay locked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `ask` for the passphrase of a key that is needed, on a thread that may block; at most once a key.
    pub fn asking(ask: impl Fn(&Path) -> Option<SecretString> + Send + Sync + 'static) -> Self {
        Self { ask: Some(Arc::new(ask)), ..Self::default() }
    }

    /// The key in `path`, unlocked.
    pub(super) async fn unlock(&self, path: &Path) -> Result<Arc<PrivateKey>, KeyProblem> {
        let mut unlocked = self.unlocked.lock().await;
        if let Some(known) = unlocked.get(path) {
            return known.clone();
        }
        let result = match &self.ask {
            None => Err(KeyProblem::NoPassphrase),
            Some(ask) => {
                let (ask, path) = (Arc::clone(ask), path.to_owned());
                // A prompt waits for a person and the key derivation is made to be slow.
                tokio::task::spawn_blocking(move || {
                    let passphrase = ask(&path).ok_or(KeyProblem::NoPassphrase)?;
                    let text = read(&path)?;
                    decode_secret_key(&text, Some(passphrase.expose_secret()))
                        .map(Arc::new)
                        .map_err(|_| KeyProblem::WrongPassphrase)
                })
                .await
                .unwrap_or(Err(KeyProblem::NoPassphrase))
            }
        };
        unlocked.insert(path.to_owned(), result.clone());
        result
    }
}

impl Identity {
    /// Looks at the key in `path`.
    pub fn read(path: PathBuf) -> Self {
        let mut public = path.file_name().and_then(|name| {
            let mut name = name.to_owned();
            name.push(".pub");
            load_public_key(path.with_file_name(name)).ok()
        });
        let state = match read(&path) {
            Err(problem) => IdentityState::Unusable(problem),
            Ok(text) => match decode_secret_key(&text, None) {
                Ok(key) => {
                    public = Some(key.public_key().clone());
                    IdentityState::Ready(Arc::new(key))
                }
                // OpenSSH's format shows the public half without the passphrase.
                Err(error) => match PrivateKey::from_openssh(text.as_bytes()) {
                    Ok(key) if key.is_encrypted() => {
                        public = Some(key.public_key().clone());
                        IdentityState::Encrypted
                    }
                    _ if text.contains("ENCRYPTED") => IdentityState::Encrypted,
                    _ => IdentityState::Unusable(KeyProblem::Unreadable(error.to_string())),
                },
            },
        };
        Self { path, public, state }
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyProblem> {
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyProblem::Missing,
        _ => KeyProblem::Unreadable(error.to_string()),
    })
}
