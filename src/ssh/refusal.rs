use std::path::Path;

use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use super::known_hosts::KnownKey;
use crate::base::printable;
use crate::host::HostError;

/// What is needed to tell a person about a host key that is refused.
pub struct Refusal<'a> {
    /// As `ssh-keygen -R` wants it.
    pub host: &'a str,
    /// As `ssh-keyscan` wants them.
    pub address: &'a str,
    pub port: u16,
    /// What a line has in place of them.
    pub alias: Option<&'a str>,
    /// Where a new key would be written down.
    pub file: &'a str,
    /// The server's key, and its certificate.
    pub key: &'a PublicKey,
    pub certificate: Option<&'a Certificate>,
}

impl Refusal<'_> {
    /// A line says that the key, or the authority behind its certificate, must not be used any more.
    pub fn revoked(&self, entry: &KnownKey) -> HostError {
        let whose = if entry.key.key_data() == self.key.key_data() { "host key" } else { "certificate authority" };
        self.must_not_be_used(whose, &format!("{}:{}", entry.file.display(), entry.line), &entry.key)
    }

    /// A file of revoked keys has the key, or the authority behind its certificate.
    pub fn in_revoked(&self, file: &Path) -> HostError {
        let whose = if self.certificate.is_some() { "host certificate or its key" } else { "host key" };
        self.must_not_be_used(whose, &file.display().to_string(), self.key)
    }

    fn must_not_be_used(&self, whose: &str, by: &str, key: &PublicKey) -> HostError {
        HostError::HostKey {
            reason: format!("the {whose} of {} is revoked by {by}: {}", self.host, described(key)),
            hint: "somebody holds a key that must not be used any more: do not log in; give the host new keys"
                .to_owned(),
        }
    }

    /// A line has another key.
    pub fn changed(&self, entry: &KnownKey) -> HostError {
        let (file, line) = (entry.file.display(), entry.line);
        HostError::HostKey {
            reason: format!(
                "the host key of {} has changed: {file}:{line} has {}, the server has {}",
                self.host,
                described(&entry.key),
                described(self.key)
            ),
            hint: format!(
                "somebody may sit in between, or the host was installed anew; only if you know that it was: \
                 `ssh-keygen -R '{}' -f {file}`, then compare the new key's fingerprint before you add it",
                self.host
            ),
        }
    }

    /// No line has it; `unfit` are an authority's line and why the certificate that it signed is not good enough.
    pub fn unknown(&self, unfit: Option<&(&KnownKey, String)>) -> HostError {
        let kind = kind(&self.key.algorithm());
        let mut reason = format!("the host key of {} is not known: {}", self.host, described(self.key));
        if let (Some((entry, why)), Some(certificate)) = (unfit, self.certificate) {
            reason += &format!(
                "; the authority of {}:{} signed its certificate `{}`, but {}",
                entry.file.display(),
                entry.line,
                printable(certificate.key_id()),
                printable(why)
            );
        }
        let (port, address, file) = (self.port, self.address, self.file);
        let hint = if unfit.is_some() {
            "let the authority sign the host's key anew, for the name that you dial".to_owned()
        } else {
            let name = match self.alias {
                Some(alias) => format!(", with `{alias}` in place of the address"),
                None => String::new(),
            };
            format!(
                "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub` on the host's own console; only if \
                 it is the same: `ssh-keyscan -t {kind} -p {port} {address} >> {file}` (which alone trusts whoever answers){name}"
            )
        };
        HostError::HostKey { reason, hint }
    }
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
