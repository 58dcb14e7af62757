use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::SystemTime;

use russh::keys::ssh_key::known_hosts::Marker;
use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey};

use super::host_certificate;
use super::host_pattern::hashed;
use super::known_hosts::{self, KnownHosts, KnownKey};
use super::refusal::Refusal;
use super::revoked_keys;
use super::settings::{Settings, UnknownHostKey};
use super::unwritten::{Unwritten, WRITING};
use crate::host::HostError;

/// What is known of one host's keys, and the decision on the one it shows.
///
/// The address, as it is dialled, decides, as it does for `ssh`; or its alias, where it has one. Only where nothing at all is
/// known of the address does the name in the inventory decide; all were written by the user, so none can be chosen by
/// whoever answers.
#[derive(Debug)]
pub struct HostKeys {
    settings: Settings,
    /// As a line has it: `[host]:port`; the plain name for port 22, and for an alias.
    host: String,
    files: Vec<PathBuf>,
    /// The one that decides first.
    names: Vec<Name>,
}

/// What is known by one name.
#[derive(Debug)]
struct Name {
    /// As a certificate has it: in lower case, without a port.
    name: String,
    /// By `[host]:port`; by the plain name for port 22.
    exact: Vec<KnownKey>,
    /// By the plain name where the port is another: OpenSSH lets these accept a key, but never refuse one.
    other_port: Vec<KnownKey>,
}

#[derive(Debug)]
enum Verdict<'a> {
    Known,
    /// Nothing is known; an authority may have signed it, but not well enough.
    Unknown(Option<(&'a KnownKey, String)>),
    Changed(&'a KnownKey),
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
        let (host, names) = match &settings.host_key_alias {
            Some(alias) => (alias.clone(), vec![Name::alias(&known, alias)]),
            None => {
                let names = [&settings.address, &settings.name].map(|name| Name::of(&known, name, settings.port));
                (host_and_port(&settings.address, settings.port), Vec::from(names))
            }
        };
        Ok(Self { settings: settings.clone(), host, files, names })
    }

    /// The host key algorithms to ask for, those first of which a key is known: a host that is known by its RSA key
    /// would look unknown if it were asked for another.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let (mut known, other): (Vec<_>, Vec<_>) = ALGORITHMS.into_iter().partition(|algorithm| {
            let all = self.names.iter().flat_map(Name::all);
            all.filter(|known| known.marker.is_none()).any(|known| same_kind(&known.key.algorithm(), algorithm))
        });
        known.extend(other);
        known
    }

    /// Those to ask for with a certificate, before all others: any, where an authority is known.
    pub fn certificate_algorithms(&self) -> Vec<Algorithm> {
        let mut all = self.names.iter().flat_map(Name::all);
        let is_any = all.any(|known| known.marker == Some(Marker::CertAuthority));
        if is_any { ALGORITHMS.to_vec() } else { Vec::new() }
    }

    /// Decides by the file of revoked keys, which comes before all else.
    ///
    /// # Errors
    /// Where it has the key, or what signed its certificate, or cannot be read.
    pub async fn not_revoked(&self, key: &PublicKey, certificate: Option<&Certificate>) -> Result<(), HostError> {
        let Some(file) = self.settings.revoked_host_keys_file() else { return Ok(()) };
        match revoked_keys::holds(&file, key, certificate).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(self.refusal(&self.first_file(), key, certificate).in_revoked(&file)),
            Err(reason) => Err(HostError::HostKey {
                reason: format!(
                    "cannot tell whether the host key of {} is revoked by {}: {reason}",
                    self.host,
                    file.display()
                ),
                hint: "mend the file that ssh_config names as RevokedHostKeys".to_owned(),
            }),
        }
    }

    /// Decides on the key that the server proved to hold, which may come with a certificate.
    ///
    /// # Errors
    /// Unless it is known, and nothing says that it is revoked. One of which nothing is known is written down and taken, where
    /// that is wanted.
    pub fn verify(&self, key: &PublicKey, certificate: Option<&Certificate>) -> Result<(), HostError> {
        match self.decide(key, certificate) {
            Err(Refused::Unknown(_)) if self.settings.unknown_host_key == UnknownHostKey::Write => {
                let mut unwritten = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
                // Another connection may have written it in the meantime, or another key.
                match Self::read(&self.settings)?.decide(key, certificate) {
                    Err(Refused::Unknown(_)) => self.write(key, &mut unwritten),
                    decided => decided.map_err(Refused::into_error),
                }
            }
            decided => decided.map_err(Refused::into_error),
        }
    }

    fn write(&self, key: &PublicKey, unwritten: &mut Unwritten) -> Result<(), HostError> {
        let Some(file) = self.files.first() else { return Ok(()) };
        let host = self.host.to_lowercase();
        let name = if self.settings.hash_known_hosts { hashed(&host) } else { Ok(host.clone()) };
        match name.and_then(|name| known_hosts::append(file, &name, key)) {
            Err(error) if !unwritten.take(file, &host, key, &error) => Err(HostError::HostKey {
                reason: format!(
                    "the host key of {host} is another than before, and neither can be written to {}: {error}",
                    file.display()
                ),
                hint: "make the file writable, or name another file of known host keys first".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Where a new key would be written.
    fn first_file(&self) -> String {
        self.files.first().map_or_else(String::new, |file| file.display().to_string())
    }

    fn refusal<'a>(&'a self, file: &'a str, key: &'a PublicKey, certificate: Option<&'a Certificate>) -> Refusal<'a> {
        let Settings { address, port, host_key_alias, .. } = &self.settings;
        Refusal { host: &self.host, address, port: *port, alias: host_key_alias.as_deref(), file, key, certificate }
    }

    fn decide(&self, key: &PublicKey, certificate: Option<&Certificate>) -> Result<(), Refused> {
        let file = self.first_file();
        let refusal = self.refusal(&file, key, certificate);
        if let Some(entry) = self.names.iter().find_map(|name| name.revoked(key, certificate)) {
            return Err(Refused::Known(refusal.revoked(entry)));
        }
        let mut unfit = None;
        for name in &self.names {
            match name.verdict(key, certificate) {
                Verdict::Known => return Ok(()),
                Verdict::Changed(entry) => return Err(Refused::Known(refusal.changed(entry))),
                Verdict::Unknown(why) => unfit = unfit.or(why),
            }
        }
        Err(Refused::Unknown(refusal.unknown(unfit.as_ref())))
    }
}

/// Why a key is not taken.
enum Refused {
    /// Nothing is known of it.
    Unknown(HostError),
    /// What is known speaks against it.
    Known(HostError),
}

impl Refused {
    fn into_error(self) -> HostError {
        match self {
            Self::Unknown(error) | Self::Known(error) => error,
        }
    }
}

impl Name {
    fn of(known: &KnownHosts, host: &str, port: u16) -> Self {
        let other_port = if port == 22 { Vec::new() } else { known.of(host) };
        Self { name: host.to_lowercase(), exact: known.of(&host_and_port(host, port)), other_port }
    }

    /// An alias stands for the port too.
    fn alias(known: &KnownHosts, alias: &str) -> Self {
        Self { name: alias.to_owned(), exact: known.of(alias), other_port: Vec::new() }
    }

    fn all(&self) -> impl Iterator<Item = &KnownKey> {
        self.exact.iter().chain(&self.other_port)
    }

    /// The line that revokes the key, or what signed its certificate. OpenSSH does not look for it by the plain name where
    /// `[host]:port` has the key; here it counts.
    fn revoked(&self, key: &PublicKey, certificate: Option<&Certificate>) -> Option<&KnownKey> {
        let is_meant = |known: &KnownKey| same(&known.key, key) || certificate.is_some_and(|own| signed_by(own, known));
        self.all().find(|known| known.marker == Some(Marker::Revoked) && is_meant(known))
    }

    fn verdict(&self, key: &PublicKey, certificate: Option<&Certificate>) -> Verdict<'_> {
        let mut unfit = None;
        for entries in [&self.exact, &self.other_port] {
            match by_authority(entries, certificate, &self.name) {
                Verdict::Unknown(why) => unfit = unfit.or(why),
                verdict => return verdict,
            }
        }
        // A certificate that is not good enough leaves a key that may be known by itself.
        match by_key(&self.exact, key) {
            Verdict::Unknown(_) if matches!(by_key(&self.other_port, key), Verdict::Known) => Verdict::Known,
            Verdict::Unknown(_) => Verdict::Unknown(unfit),
            verdict => verdict,
        }
    }
}

/// What the authorities among `entries` say.
fn by_authority<'a>(entries: &'a [KnownKey], certificate: Option<&Certificate>, name: &str) -> Verdict<'a> {
    let Some(certificate) = certificate else { return Verdict::Unknown(None) };
    let authority = |known: &&KnownKey| known.marker == Some(Marker::CertAuthority) && signed_by(certificate, known);
    let Some(entry) = entries.iter().find(authority) else { return Verdict::Unknown(None) };
    match host_certificate::unfit(certificate, name, SystemTime::now()) {
        None => Verdict::Known,
        Some(why) => Verdict::Unknown(Some((entry, why))),
    }
}

/// What `entries` say of `key`; an authority's key is no host's key.
fn by_key<'a>(entries: &'a [KnownKey], key: &PublicKey) -> Verdict<'a> {
    let alike = |known: &KnownKey| same_kind(&known.key.algorithm(), &key.algorithm());
    let mut verdict = Verdict::Unknown(None);
    for entry in entries.iter().filter(|entry| entry.marker.is_none()) {
        if same(&entry.key, key) {
            return Verdict::Known;
        }
        match verdict {
            Verdict::Unknown(_) => verdict = Verdict::Changed(entry),
            // Of several the one of the same kind is what a person can compare.
            Verdict::Changed(first) if !alike(first) && alike(entry) => verdict = Verdict::Changed(entry),
            Verdict::Changed(_) | Verdict::Known => {}
        }
    }
    verdict
}

fn same(one: &PublicKey, other: &PublicKey) -> bool {
    one.key_data() == other.key_data()
}

fn signed_by(certificate: &Certificate, known: &KnownKey) -> bool {
    certificate.signature_key() == known.key.key_data()
}

/// Whether a key of this algorithm can sign by that one: an RSA key does by either hash.
fn same_kind(key: &Algorithm, offered: &Algorithm) -> bool {
    key == offered || matches!((key, offered), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

fn host_and_port(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}
