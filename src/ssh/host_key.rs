use russh::keys::ssh_key::known_hosts::Marker;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};

use super::known_hosts::{KnownHosts, KnownKey};
use super::settings::Settings;
use crate::host::HostError;

/// What is known of one host's keys, and the decision on the one it shows.
///
/// The address, as it is dialled, decides, as it does for `ssh`. Only where nothing at all is known of it does the name
/// in the inventory decide; both were written by the user, so neither can be chosen by whoever answers.
#[derive(Debug)]
pub struct HostKeys {
    /// As `ssh-keygen -R` wants it.
    host: String,
    address: String,
    port: u16,
    /// Where a new key would be written down.
    file: String,
    address_keys: Keys,
    name_keys: Keys,
}

/// What is known by one name.
#[derive(Debug)]
struct Keys {
    /// By `[host]:port`; by the plain name for port 22.
    exact: Vec<KnownKey>,
    /// By the plain name where the port is another: OpenSSH lets these accept a key, but never refuse one.
    other_port: Vec<KnownKey>,
}

enum Verdict<'a> {
    Known,
    Unknown,
    Changed(&'a KnownKey),
    Revoked(&'a KnownKey),
}

/// In the order of preference; ssh-rsa with SHA-1 is not among them.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

impl HostKeys {
    /// Reads what is known of the host.
    ///
    /// # Errors
    /// Where a file is there and cannot be read.
    pub fn read(settings: &Settings) -> Result<Self, HostError> {
        let files = settings.known_hosts_files();
        let known = KnownHosts::read(&files)?;
        let port = settings.port;
        Ok(Self {
            host: host_and_port(&settings.address, port),
            address: settings.address.clone(),
            port,
            file: files.first().map_or_else(String::new, |file| file.display().to_string()),
            address_keys: Keys::of(&known, &settings.address, port),
            name_keys: Keys::of(&known, &settings.name, port),
        })
    }

    /// The host key algorithms to ask for, those first of which a key is known: a host that is known by its RSA key
    /// would look unknown if it were asked for another.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let (mut known, other): (Vec<_>, Vec<_>) = ALGORITHMS.into_iter().partition(|algorithm| {
            let all = [&self.address_keys, &self.name_keys].into_iter().flat_map(Keys::all);
            all.filter(|known| known.marker.is_none()).any(|known| same_kind(&known.key.algorithm(), algorithm))
        });
        known.extend(other);
        known
    }

    /// Decides on the key that the server proved to hold.
    ///
    /// # Errors
    /// Unless it is known, and nothing says that it is revoked.
    pub fn verify(&self, key: &PublicKey) -> Result<(), HostError> {
        if let Some(entry) = [&self.address_keys, &self.name_keys].into_iter().find_map(|keys| keys.revoked(key)) {
            return Err(self.revoked(entry));
        }
        for keys in [&self.address_keys, &self.name_keys] {
            match keys.verdict(key) {
                Verdict::Known => return Ok(()),
                Verdict::Changed(entry) => return Err(self.changed(entry, key)),
                Verdict::Revoked(entry) => return Err(self.revoked(entry)),
                Verdict::Unknown => {}
            }
        }
        Err(self.unknown(key))
    }

    fn revoked(&self, entry: &KnownKey) -> HostError {
        HostError::HostKey {
            reason: format!("the host key of {} is revoked by {}:{}", self.host, entry.file.display(), entry.line),
            hint: "somebody holds a key that must not be used any more: do not log in; give the host new keys"
                .to_owned(),
        }
    }

    fn changed(&self, entry: &KnownKey, key: &PublicKey) -> HostError {
        let (file, line) = (entry.file.display(), entry.line);
        HostError::HostKey {
            reason: format!(
                "the host key of {} has changed: {file}:{line} has {}, the server has {}",
                self.host,
                described(&entry.key),
                described(key)
            ),
            hint: format!(
                "somebody may sit in between, or the host was installed anew; only if you know that it was: \
                 `ssh-keygen -R '{}' -f {file}`, then compare the new key's fingerprint before you add it",
                self.host
            ),
        }
    }

    fn unknown(&self, key: &PublicKey) -> HostError {
        let kind = kind(&key.algorithm());
        HostError::HostKey {
            reason: format!("the host key of {} is not known: {}", self.host, described(key)),
            hint: format!(
                "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub` on the host's own console; only if \
                 it is the same: `ssh-keyscan -t {kind} -p {} {} >> {}` (which alone trusts whoever answers)",
                self.port, self.address, self.file
            ),
        }
    }
}

impl Keys {
    fn of(known: &KnownHosts, host: &str, port: u16) -> Self {
        let other_port = if port == 22 { Vec::new() } else { known.of(host) };
        Self { exact: known.of(&host_and_port(host, port)), other_port }
    }

    fn all(&self) -> impl Iterator<Item = &KnownKey> {
        self.exact.iter().chain(&self.other_port)
    }

    fn revoked(&self, key: &PublicKey) -> Option<&KnownKey> {
        self.all().find(|known| known.marker == Some(Marker::Revoked) && same(&known.key, key))
    }

    fn verdict(&self, key: &PublicKey) -> Verdict<'_> {
        match verdict(&self.exact, key) {
            Verdict::Unknown if matches!(verdict(&self.other_port, key), Verdict::Known) => Verdict::Known,
            verdict => verdict,
        }
    }
}

/// What `known` says of `key`; an authority's key is no host's key.
fn verdict<'a>(known: &'a [KnownKey], key: &PublicKey) -> Verdict<'a> {
    let alike = |known: &KnownKey| same_kind(&known.key.algorithm(), &key.algorithm());
    let mut verdict = Verdict::Unknown;
    for entry in known {
        match entry.marker {
            Some(Marker::Revoked) if same(&entry.key, key) => return Verdict::Revoked(entry),
            Some(_) => {}
            None if same(&entry.key, key) => verdict = Verdict::Known,
            None => match verdict {
                Verdict::Unknown => verdict = Verdict::Changed(entry),
                // Of several the one of the same kind is what a person can compare.
                Verdict::Changed(first) if !alike(first) && alike(entry) => verdict = Verdict::Changed(entry),
                Verdict::Changed(_) | Verdict::Known | Verdict::Revoked(_) => {}
            },
        }
    }
    verdict
}

fn same(one: &PublicKey, other: &PublicKey) -> bool {
    one.key_data() == other.key_data()
}

/// Whether a key of this algorithm can sign by that one: an RSA key does by either hash.
fn same_kind(key: &Algorithm, offered: &Algorithm) -> bool {
    key == offered || matches!((key, offered), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

fn host_and_port(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}

fn described(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

/// The algorithm as it is named in sshd's files.
fn kind(algorithm: &Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ecdsa { .. } => "ecdsa",
        Algorithm::Rsa { .. } => "rsa",
        _ => "ed25519",
    }
}
