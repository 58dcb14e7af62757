use std::sync::LazyLock;

use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::pki::{PkiError, pins};

/// What lets a worker join: from `kubeadm init`'s output or from `kubeadm token create --print-join-command`.
#[derive(Debug, Clone)]
pub struct JoinGrant {
    /// `host:port` of the API server.
    pub endpoint: String,
    /// The bootstrap token, `id.secret`.
    pub token: SecretString,
    /// Pins of the cluster's CA, as `sha256:…`.
    pub ca_cert_hashes: Vec<String>,
}

/// Why there is no grant, or none to be trusted. No message holds a token.
#[derive(Debug, Error)]
pub enum GrantError {
    /// kubeadm printed none.
    #[error("kubeadm's output has no join command for a worker")]
    Missing,
    /// A part of the command is not there.
    #[error("kubeadm's join command has no {0}")]
    Incomplete(&'static str),
    /// A part of the command is not what it should be.
    #[error("kubeadm's join command has a malformed {0}")]
    Malformed(&'static str),
    /// The grant pins another CA than the control plane's certificate shows.
    #[error("the join command pins {pinned}, but the cluster's CA certificate is {found}")]
    WrongCa {
        /// What the join command says.
        pinned: String,
        /// What the certificate is.
        found: String,
    },
    /// The CA certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] PkiError),
}

#[expect(clippy::unwrap_used, reason = "the pattern is a constant and a test compiles it")]
static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[a-z0-9]{6}\.[a-z0-9]{16}$").unwrap());

#[expect(clippy::unwrap_used, reason = "the pattern is a constant and a test compiles it")]
static PIN: LazyLock<Regex> = LazyLock::new(|| Regex::new("^sha256:[0-9a-f]{64}$").unwrap());

#[expect(clippy::unwrap_used, reason = "the pattern is a constant and a test compiles it")]
static ENDPOINT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$").unwrap());

impl JoinGrant {
    /// Reads a worker's join command out of all that kubeadm printed; the last one where there are several.
    ///
    /// # Errors
    /// When there is none, or a part of it is missing or malformed.
    pub fn parse(output: &str) -> Result<Self, GrantError> {
        let output = output.replace("\\\r\n", " ").replace("\\\n", " ");
        let words = output
            .lines()
            .filter(|line| line.trim_start().starts_with("kubeadm join "))
            .filter_map(shlex::split)
            .rfind(|words| !words.iter().any(|word| word == "--control-plane"))
            .ok_or(GrantError::Missing)?;
        let mut words = words.iter().skip(2).map(String::as_str);
        let (mut endpoint, mut token, mut ca_cert_hashes) = (None, None, Vec::new());
        while let Some(word) = words.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None if word.starts_with("--") => (word, words.next()),
                None => {
                    endpoint.get_or_insert(word);
                    continue;
                }
            };
            match flag {
                "--token" => token = value,
                "--discovery-token-ca-cert-hash" => ca_cert_hashes.extend(value.map(str::to_owned)),
                _ => {}
            }
        }
        let endpoint = endpoint.ok_or(GrantError::Incomplete("endpoint"))?;
        let token = token.ok_or(GrantError::Incomplete("--token"))?;
        if ca_cert_hashes.is_empty() {
            return Err(GrantError::Incomplete("--discovery-token-ca-cert-hash"));
        }
        if !ENDPOINT.is_match(endpoint) {
            return Err(GrantError::Malformed("endpoint"));
        }
        if !TOKEN.is_match(token) {
            return Err(GrantError::Malformed("--token"));
        }
        if !ca_cert_hashes.iter().all(|hash| PIN.is_match(hash)) {
            return Err(GrantError::Malformed("--discovery-token-ca-cert-hash"));
        }
        Ok(Self { endpoint: endpoint.to_owned(), token: token.into(), ca_cert_hashes })
    }

    /// The token's public half, which names its Secret and revokes it: `kubeadm token delete ID`.
    #[must_use]
    pub fn token_id(&self) -> &str {
        let token = self.token.expose_secret();
        token.split_once('.').map_or("", |(id, _)| id)
    }

    /// Holds the pins against the CA's own certificates, PEM.
    ///
    /// # Errors
    /// When a pin is none of theirs, or the certificate cannot be read.
    pub fn verify(&self, ca_pem: &str) -> Result<(), GrantError> {
        let found = pins(ca_pem)?;
        match self.ca_cert_hashes.iter().find(|pinned| !found.contains(pinned)) {
            Some(pinned) => Err(GrantError::WrongCa { pinned: pinned.clone(), found: found.join(", ") }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::{GrantError, JoinGrant};

    /// A CA that was made for this test alone; its key is nowhere.
    const CA: &str = include_str!("../../tests/fixtures/kubeadm/ca.crt");
    const CA_PIN: &str = include_str!("../../tests/fixtures/kubeadm/ca.crt.pin");

    #[test]
    fn every_output_of_kubeadm_gives_its_workers_grant() {
        for (output, endpoint, token_id, hash) in [
            (
                include_str!("../../tests/fixtures/kubeadm/init-success.txt"),
                "10.88.0.11:6443",
                "xso2ig",
                "83c5dc8bf6d40c919118567cb9f6a4eec70ac805fb30a3e7dc5633590a973532",
            ),
            (
                include_str!("../../tests/fixtures/kubeadm/init-success-control-plane-endpoint.txt"),
                "cp.kfleet.internal:6443",
                "rlpz77",
                "caf5a3af90cac24f886334eb3598f64eb257a05f9ec9d021c978a0242b8e19f2",
            ),
            (
                include_str!("../../tests/fixtures/kubeadm/print-join-command.txt"),
                "10.88.0.11:6443",
                "yam2rc",
                "c1be6b7bc14d8b779f9697f265f2c9a5f3cfab9a0c72733a603d853dfc0363f1",
            ),
        ] {
            let grant = JoinGrant::parse(output).unwrap();
            assert_eq!(grant.endpoint, endpoint);
            assert_eq!(grant.token_id(), token_id);
            assert_eq!(grant.token.expose_secret().len(), 23);
            assert_eq!(grant.ca_cert_hashes, [format!("sha256:{hash}")]);
        }
    }

    #[test]
    fn a_part_that_is_missing_or_forged_is_named_and_the_token_is_not_shown() {
        let pin = format!("--discovery-token-ca-cert-hash sha256:{}", "ab".repeat(32));
        for (command, expected) in [
            ("nothing".to_owned(), "kubeadm's output has no join command for a worker"),
            (
                format!("kubeadm join a:1 --token abcdef.0123456789abcdef {pin} --control-plane"),
                "kubeadm's output has no join command for a worker",
            ),
            (format!("kubeadm join --token abcdef.0123456789abcdef {pin}"), "kubeadm's join command has no endpoint"),
            (format!("kubeadm join a:1 {pin}"), "kubeadm's join command has no --token"),
            (
                "kubeadm join a:1 --token abcdef.0123456789abcdef".to_owned(),
                "kubeadm's join command has no --discovery-token-ca-cert-hash",
            ),
            (
                format!("kubeadm join 'a:1\n' --token=abcdef.0123456789abcdef {pin}"),
                "kubeadm's output has no join command for a worker",
            ),
            (
                format!("kubeadm join 'a b:1' --token=abcdef.0123456789abcdef {pin}"),
                "kubeadm's join command has a malformed endpoint",
            ),
            (
                format!("kubeadm join a:1 --token abcdef.0123456789ABCDEF {pin}"),
                "kubeadm's join command has a malformed --token",
            ),
            (
                format!("kubeadm join a:1 --token abcdef.0123456789abcdef {pin}0"),
                "kubeadm's join command has a malformed --discovery-token-ca-cert-hash",
            ),
        ] {
            let error = JoinGrant::parse(&command).unwrap_err();
            assert_eq!(error.to_string(), expected, "{command}");
            assert!(!format!("{error:?}").contains("0123456789"));
        }
    }

    #[test]
    fn a_grant_is_held_against_the_ca_itself() {
        let grant = |hashes: &[&str]| JoinGrant {
            endpoint: "a:1".into(),
            token: "abcdef.0123456789abcdef".into(),
            ca_cert_hashes: hashes.iter().map(ToString::to_string).collect(),
        };
        let other = format!("sha256:{}", "ab".repeat(32));
        assert!(grant(&[CA_PIN.trim()]).verify(CA).is_ok());
        assert!(
            matches!(grant(&[CA_PIN.trim(), &other]).verify(CA), Err(GrantError::WrongCa { pinned, .. }) if pinned == other)
        );
        assert!(matches!(grant(&[&other]).verify("no certificate"), Err(GrantError::Certificate(_))));
    }
}
