use std::time::Duration;

use jiff::Timestamp;
use pkcs8::der::Document;
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use thiserror::Error;
use x509_parser::pem::Pem;
use zeroize::Zeroizing;

/// As kubeadm's own: 3650 days.
const VALID_FOR: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// As kubeadm's own: hosts' clocks may be behind the workstation's.
const BACKDATED: Duration = Duration::from_secs(5 * 60);

/// Why a certificate or a key is of no use.
#[derive(Debug, Error)]
pub enum PkiError {
    /// Not PEM with a certificate in it.
    #[error("this is no PEM certificate: {0}")]
    NoCertificate(String),
    /// Not PEM with an encrypted PKCS#8 key in it.
    #[error("this is no PEM file with an encrypted private key")]
    NoEncryptedKey,
    /// The passphrase is wrong, or the file is damaged: the two cannot be told apart.
    #[error("the passphrase does not open the CA's key")]
    WrongPassphrase,
    /// The key is another certificate's.
    #[error("the CA's key does not belong to its certificate")]
    WrongKey,
    /// No certificate or key could be made.
    #[error("failed to make the cluster's CA: {0}")]
    Failed(String),
}

/// The pin of a CA certificate, PEM, as kubeadm writes it: `sha256:` and the hex of its SubjectPublicKeyInfo's hash.
/// Of several certificates in the file it is the first, as kubeadm itself takes the first.
///
/// # Errors
/// When it is no PEM certificate.
pub fn pin(ca_pem: &str) -> Result<String, PkiError> {
    Ok(pins(ca_pem)?.swap_remove(0))
}

/// When the first certificate of a PEM file ends.
///
/// # Errors
/// When it is no PEM certificate.
pub fn expiry(ca_pem: &str) -> Result<Timestamp, PkiError> {
    let no_certificate = |reason: String| PkiError::NoCertificate(reason);
    let (_, pem) =
        x509_parser::pem::parse_x509_pem(ca_pem.as_bytes()).map_err(|error| no_certificate(error.to_string()))?;
    let certificate = pem.parse_x509().map_err(|error| no_certificate(error.to_string()))?;
    Timestamp::from_second(certificate.validity().not_after.timestamp())
        .map_err(|error| no_certificate(error.to_string()))
}

/// The pins of all certificates in a PEM file; at least one.
pub(super) fn pins(ca_pem: &str) -> Result<Vec<String>, PkiError> {
    let no_certificate = |reason: String| PkiError::NoCertificate(reason);
    let mut pins = Vec::new();
    for pem in Pem::iter_from_buffer(ca_pem.as_bytes()) {
        let pem = pem.map_err(|error| no_certificate(error.to_string()))?;
        let certificate = pem.parse_x509().map_err(|error| no_certificate(error.to_string()))?;
        pins.push(format!("sha256:{}", hex(&Sha256::digest(certificate.public_key().raw))));
    }
    if pins.is_empty() { Err(no_certificate("nothing in it".into())) } else { Ok(pins) }
}

/// `bytes` in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A certificate authority that was made on the workstation: kubeadm finds ca.crt and ca.key in place and uses them, so
/// the join's pin is known before `init` starts, and the CA outlives a dead control plane.
#[derive(Debug, Clone)]
pub struct Authority {
    certificate: String,
    key: SecretString,
}

impl Authority {
    /// A new CA for ten years, as kubeadm makes it but for its key, which is ECDSA P-256.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate(common_name: &str, now: Timestamp) -> Result<Self, PkiError> {
        let failed = |error: rcgen::Error| PkiError::Failed(error.to_string());
        let since_epoch = u64::try_from(now.as_second())
            .map_err(|_| PkiError::Failed("the workstation's clock is before 1970".into()))?;
        let not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(since_epoch).saturating_sub(BACKDATED);
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, common_name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::KeyCertSign];
        parameters.not_before = not_before;
        parameters.not_after = not_before + BACKDATED + VALID_FOR;
        let key = Zeroizing::new(KeyPair::generate().map_err(failed)?);
        let certificate = parameters.self_signed(&*key).map_err(failed)?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem().into() })
    }

    /// The certificate, PEM: ca.crt.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The key, unencrypted PKCS#8 PEM as kubeadm reads it: ca.key. For a 0600 file on the control plane and nothing else.
    #[must_use]
    pub const fn key(&self) -> &SecretString {
        &self.key
    }

    /// The pin that every join is given.
    ///
    /// # Errors
    /// Never for a certificate that [`generate`](Self::generate) or [`open`](Self::open) let through.
    pub fn pin(&self) -> Result<String, PkiError> {
        pin(&self.certificate)
    }

    /// The key to keep on the workstation: PKCS#8 PEM, under a passphrase by scrypt and AES-256, which `openssl pkey`
    /// opens too.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn encrypted_key(&self, passphrase: &SecretString) -> Result<String, PkiError> {
        let failed = |reason: String| PkiError::Failed(reason);
        let (_, key) = SecretDocument::from_pem(self.key.expose_secret()).map_err(|error| failed(error.to_string()))?;
        let key = PrivateKeyInfoRef::try_from(key.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let encrypted = key.encrypt(passphrase.expose_secret()).map_err(|error| failed(error.to_string()))?;
        let pem =
            encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).map_err(|error| failed(error.to_string()))?;
        Ok(pem.to_string())
    }

    /// The CA back from its certificate and its encrypted key, both PEM.
    ///
    /// # Errors
    /// When a file is not what it should be, the passphrase is wrong, or the two do not belong together.
    pub fn open(certificate: &str, encrypted_key: &str, passphrase: &SecretString) -> Result<Self, PkiError> {
        let (label, encrypted) = Document::from_pem(encrypted_key).map_err(|_| PkiError::NoEncryptedKey)?;
        if label != "ENCRYPTED PRIVATE KEY" {
            return Err(PkiError::NoEncryptedKey);
        }
        let encrypted =
            EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes()).map_err(|_| PkiError::NoEncryptedKey)?;
        let key = encrypted.decrypt(passphrase.expose_secret()).map_err(|_| PkiError::WrongPassphrase)?;
        let pem = key.to_pem("PRIVATE KEY", LineEnding::LF).map_err(|error| PkiError::Failed(error.to_string()))?;
        let pair = KeyPair::from_pem(&pem).map(Zeroizing::new).map_err(|_| PkiError::WrongPassphrase)?;
        let (_, der) = x509_parser::pem::parse_x509_pem(certificate.as_bytes())
            .map_err(|error| PkiError::NoCertificate(error.to_string()))?;
        let parsed = der.parse_x509().map_err(|error| PkiError::NoCertificate(error.to_string()))?;
        if parsed.public_key().subject_public_key.data != pair.public_key_raw() {
            return Err(PkiError::WrongKey);
        }
        Ok(Self { certificate: certificate.to_owned(), key: pem.as_str().into() })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use jiff::Timestamp;
    use secrecy::{ExposeSecret, SecretString};

    use super::{Authority, PkiError, expiry, pin};

    const CA: &str = include_str!("../../tests/fixtures/kubeadm/ca.crt");
    /// What openssl made of it, as kubeadm's documentation says: `x509 -pubkey`, `pkey -pubin -outform der`, `sha256sum`.
    const CA_PIN: &str = include_str!("../../tests/fixtures/kubeadm/ca.crt.pin");

    fn authority() -> Authority {
        Authority::generate("kubernetes", "2026-11-23T20:45:00Z".parse::<Timestamp>().unwrap()).unwrap()
    }

    /// What openssl makes of `stdin`, or `None` where there is no openssl.
    fn openssl(arguments: &[&str], stdin: &str) -> Option<String> {
        let mut child = Command::new("openssl")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn the_pin_is_what_openssl_says() {
        assert_eq!(pin(CA).unwrap(), CA_PIN.trim());
        assert!(matches!(
            pin("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            Err(PkiError::NoCertificate(_))
        ));
        assert!(matches!(pin(""), Err(PkiError::NoCertificate(_))));
        assert!(matches!(expiry(""), Err(PkiError::NoCertificate(_))));
    }

    #[test]
    fn the_certificate_is_a_ca_as_kubeadm_makes_it() {
        let authority = authority();
        let (_, der) = x509_parser::pem::parse_x509_pem(authority.certificate().as_bytes()).unwrap();
        let certificate = der.parse_x509().unwrap();
        assert_eq!(certificate.subject().to_string(), "CN=kubernetes");
        assert!(certificate.is_ca());
        let usage = certificate.key_usage().unwrap().unwrap().value;
        assert!(usage.key_cert_sign() && usage.digital_signature() && usage.key_encipherment() && !usage.crl_sign());
        assert_eq!(certificate.validity().not_before.to_string(), "Nov 23 20:40:00 2026 +00:00");
        assert_eq!(certificate.validity().not_after.to_string(), "Nov 20 20:45:00 2036 +00:00");
        assert_eq!(expiry(authority.certificate()).unwrap().to_string(), "2036-11-20T20:45:00Z");
        if let Some(text) = openssl(&["x509", "-noout", "-text"], authority.certificate()) {
            assert!(text.contains("Digital Signature, Key Encipherment, Certificate Sign"), "{text}");
            assert!(text.contains("CA:TRUE"), "{text}");
        }
    }

    #[test]
    fn a_key_opens_with_its_passphrase_and_no_other() {
        let authority = authority();
        let passphrase = SecretString::from("correct horse");
        let encrypted = authority.encrypted_key(&passphrase).unwrap();
        let opened = Authority::open(authority.certificate(), &encrypted, &passphrase).unwrap();
        assert_eq!(opened.key().expose_secret(), authority.key().expose_secret());
        assert_eq!(opened.pin().unwrap(), authority.pin().unwrap());
        let wrong = Authority::open(authority.certificate(), &encrypted, &"battery".into());
        assert!(matches!(wrong, Err(PkiError::WrongPassphrase)));
        assert!(matches!(Authority::open(CA, &encrypted, &passphrase), Err(PkiError::WrongKey)));
        let plain = Authority::open(CA, authority.key().expose_secret(), &passphrase);
        assert!(matches!(plain, Err(PkiError::NoEncryptedKey)));
        if let Some(key) = openssl(&["pkey", "-passin", "pass:correct horse"], &encrypted) {
            assert_eq!(key, *authority.key().expose_secret());
        }
    }

    #[test]
    fn debug_never_shows_the_key() {
        let authority = authority();
        let secret = authority.key().expose_secret().lines().nth(1).unwrap().to_owned();
        assert!(!format!("{authority:?}").contains(&secret));
    }
}
