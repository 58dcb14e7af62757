use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use russh::keys::{Certificate, PublicKey};

use crate::base::local_command;

/// What a key revocation list of OpenSSH begins with.
const KRL: &[u8] = b"SSHKRL\n\0";

/// Whether `file`, which ssh_config names as `RevokedHostKeys`, has the key or what signed its certificate: a list of public keys,
/// or a key revocation list, which is left to ssh-keygen.
///
/// # Errors
/// Why that cannot be told, and then the key must not be taken.
pub async fn holds(file: &Path, key: &PublicKey, certificate: Option<&Certificate>) -> Result<bool, String> {
    let list = tokio::fs::read(file).await.map_err(|error| error.to_string())?;
    if list.starts_with(KRL) {
        return in_revocation_list(file, key, certificate).await;
    }
    let list = String::from_utf8_lossy(&list);
    let mut listed = list.lines().filter_map(|line| PublicKey::from_openssh(line.trim()).ok());
    Ok(listed.any(|listed| {
        listed.key_data() == key.key_data()
            || certificate.is_some_and(|certificate| certificate.signature_key() == listed.key_data())
    }))
}

async fn in_revocation_list(file: &Path, key: &PublicKey, certificate: Option<&Certificate>) -> Result<bool, String> {
    let shown = certificate.map_or_else(|| key.to_openssh(), Certificate::to_openssh);
    let shown = shown.map_err(|error| error.to_string())?;
    let mut asked = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    writeln!(asked, "{shown}").map_err(|error| error.to_string())?;
    let mut ssh_keygen = local_command("ssh-keygen");
    ssh_keygen.arg("-Qf").arg(file).arg(asked.path()).stdin(Stdio::null());
    let mut ssh_keygen = tokio::process::Command::from(ssh_keygen);
    let output =
        ssh_keygen.kill_on_drop(true).output().await.map_err(|error| format!("ssh-keygen cannot be run: {error}"))?;
    match output.status.code() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
