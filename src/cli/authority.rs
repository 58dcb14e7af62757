use std::env;
use std::io::{self, IsTerminal};

use secrecy::{ExposeSecret, SecretString};

use crate::base::CA_PASSPHRASE;
use crate::cluster::Authority;
use crate::engine::StateDir;

const CERTIFICATE: &str = "ca.crt";
/// Only ever encrypted.
pub(super) const KEY: &str = "ca.key.encrypted";

/// The cluster's CA, made on this machine: the one that was kept, else a new one.
///
/// Its key is kept only where there is a passphrase to encrypt it with; else it lives in memory until the control plane
/// has it.
pub(super) fn of(state: &StateDir) -> Result<Authority, String> {
    let read = |name| state.read(name).map_err(|error| format!("cannot read {error}"));
    let passphrase = passphrase()?;
    match (read(CERTIFICATE)?, read(KEY)?, passphrase) {
        (Some(certificate), Some(key), Some(passphrase)) => {
            Authority::open(certificate.expose_secret(), key.expose_secret(), &passphrase)
                .map_err(|error| error.to_string())
        }
        (Some(_), Some(_), None) => Err(format!("the CA's key is encrypted: give its passphrase in {CA_PASSPHRASE}")),
        (_, _, passphrase) => {
            let authority =
                Authority::generate("kubernetes", jiff::Timestamp::now()).map_err(|error| error.to_string())?;
            if let Some(passphrase) = passphrase {
                let key = authority.encrypted_key(&passphrase).map_err(|error| error.to_string())?;
                let save = |name, text: String| {
                    state.save(name, &text.into()).map_err(|error| format!("cannot keep the CA: {error}"))
                };
                save(KEY, key)?;
                save(CERTIFICATE, authority.certificate().to_owned())?;
            }
            Ok(authority)
        }
    }
}

fn passphrase() -> Result<Option<SecretString>, String> {
    match env::var(CA_PASSPHRASE) {
        Ok(passphrase) if !passphrase.is_empty() => return Ok(Some(passphrase.into())),
        Ok(_) | Err(env::VarError::NotPresent) => {}
        Err(env::VarError::NotUnicode(_)) => return Err(format!("{CA_PASSPHRASE} is not UTF-8")),
    }
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let asked = rpassword::prompt_password("passphrase for the cluster's CA key (empty: do not keep it): ");
    let passphrase = asked.map_err(|error| format!("cannot ask for a passphrase: {error}"))?;
    Ok((!passphrase.is_empty()).then(|| passphrase.into()))
}
