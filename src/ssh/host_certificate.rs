use std::time::SystemTime;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg};

use crate::base::wildcard;

/// Why `certificate` does not speak for the host called `name`, in lower case and without a port; `None` where it does.
///
/// That its authority is one to be trusted is not looked at here. One without any name is no host's, and a name may be a pattern,
/// as OpenSSH has it since 10.3; before, the first was every host's, and the second none's.
pub fn unfit(certificate: &Certificate, name: &str, now: SystemTime) -> Option<String> {
    if certificate.cert_type() != CertType::Host {
        return Some("it is a user's, not a host's".to_owned());
    }
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if now < certificate.valid_after() {
        return Some("it is not valid yet".to_owned());
    }
    if now >= certificate.valid_before() {
        return Some("it has expired".to_owned());
    }
    let names = certificate.valid_principals();
    if !names.iter().any(|pattern| wildcard(pattern.as_bytes(), name.as_bytes())) {
        let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        return Some(format!("it is for {names}"));
    }
    if let Some(option) = certificate.critical_options().keys().next() {
        return Some(format!("it has the critical option `{option}`, which means nothing for hosts"));
    }
    // SHA-1 and DSA, which OpenSSH's CASignatureAlgorithms leaves out too.
    if matches!(certificate.signature().algorithm(), Algorithm::Rsa { hash: None } | Algorithm::Dsa) {
        return Some(format!("it is signed by {}, which is not safe any more", certificate.signature().algorithm()));
    }
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    certificate.validate_at(now, [&authority]).err().map(|_| "its signature is wrong".to_owned())
}
