use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use crate::host::Connect;
use crate::ssh::{Dialer, Keyring, Settings};

/// The hosts that these settings lead to, by SSH and yet to be dialled.
pub(super) fn by(
    settings: impl Iterator<Item = Settings>,
    sudo_password: Option<&SecretString>,
) -> Vec<Arc<dyn Connect>> {
    let settings: Vec<_> = settings.map(|host| Settings { sudo_password: sudo_password.cloned(), ..host }).collect();
    let keyring = Keyring::new();
    // Once a key, where somebody can answer, and before anything is drawn.
    if File::open("/dev/tty").is_ok() {
        keyring.unlock(&settings, ask);
    }
    let keyring = Arc::new(keyring);
    let dialer = |host| Arc::new(Dialer::new(host, Arc::clone(&keyring))) as Arc<dyn Connect>;
    settings.into_iter().map(dialer).collect()
}

fn ask(key: &Path) -> Option<SecretString> {
    rpassword::prompt_password(format!("passphrase of {}: ", key.display())).ok().map(SecretString::from)
}
