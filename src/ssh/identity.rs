use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::{Certificate, PrivateKey, PublicKey, decode_secret_key, load_openssh_certificate, load_public_key};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// A private key's file and what stands beside it.
#[derive(Debug)]
pub struct Identity {
    /// The private key's file.
    pub path: PathBuf,
    /// From the `.pub` beside it, or from the file itself.
    pub public: Option<PublicKey>,
    /// From the `-cert.pub` beside it, whose path this is.
    pub certificate: Option<(PathBuf, Certificate)>,
    /// The private key, where it is at hand.
    pub private: Result<Arc<PrivateKey>, KeyProblem>,
}

/// Why a private key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyProblem {
    /// There is no file.
    Missing,
    /// It is a public key.
    Public,
    /// In the system's words, or the parser's.
    Unreadable(String),
    /// It has a passphrase, and nobody has said it.
    Locked,
    /// What was said is not its passphrase.
    WrongPassphrase,
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Public => f.write_str("it is a public key, and no agent has the private one"),
            Self::Unreadable(reason) => write!(f, "cannot be read: {reason}"),
            Self::Locked => f.write_str("it has a passphrase, and none was given; `ssh-add` gives it to an agent"),
            Self::WrongPassphrase => f.write_str("the passphrase is wrong"),
        }
    }
}

impl Identity {
    /// Looks at the key in `path`, as far as that goes without a passphrase.
    pub fn read(path: &Path) -> Self {
        let mut public = load_public_key(beside(path, ".pub")).ok();
        let private = match read(path) {
            Err(problem) => Err(problem),
            Ok(text) => match decode_secret_key(&text, None) {
                Ok(key) => Ok(Arc::new(key)),
                // OpenSSH's format shows the public half without the passphrase.
                Err(error) => match PrivateKey::from_openssh(text.as_bytes()) {
                    Ok(key) if key.is_encrypted() => {
                        public = Some(key.public_key().clone());
                        Err(KeyProblem::Locked)
                    }
                    _ if text.contains("ENCRYPTED") => Err(KeyProblem::Locked),
                    // The public half may be named where an agent has the private one.
                    _ => match text.lines().find_map(|line| PublicKey::from_openssh(line.trim()).ok()) {
                        Some(key) => {
                            public = Some(key);
                            Err(KeyProblem::Public)
                        }
                        None => Err(KeyProblem::Unreadable(error.to_string())),
                    },
                },
            },
        };
        if let Ok(key) = &private {
            public = Some(key.public_key().clone());
        }
        let certificate = beside(path, "-cert.pub");
        let certificate = load_openssh_certificate(&certificate).ok().map(|loaded| (certificate, loaded));
        Self { path: path.to_owned(), public, certificate, private }
    }

    /// The same with its private key, if that is what the passphrase opens.
    pub fn unlocked(self, passphrase: &SecretString) -> Self {
        let opened = read(&self.path).and_then(|text| {
            decode_secret_key(&text, Some(passphrase.expose_secret())).map_err(|_| KeyProblem::WrongPassphrase)
        });
        match opened {
            Ok(key) => Self { public: Some(key.public_key().clone()), private: Ok(Arc::new(key)), ..self },
            Err(problem) => Self { private: Err(problem), ..self },
        }
    }
}

/// The file whose name is that of `path` with `ending` after it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyProblem> {
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyProblem::Missing,
        _ => KeyProblem::Unreadable(error.to_string()),
    })
}
