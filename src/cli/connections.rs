use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use crate::host::Connect;
use crate::inventory::Inventory;
use crate::ssh::{Dialer, Keyring, Settings};

/// Every host of the inventory, by SSH and yet to be dialled.
pub(super) fn to(inventory: &Inventory, sudo_password: Option<&SecretString>) -> Vec<Arc<dyn Connect>> {
    by(inventory.hosts.iter().map(Settings::from), sudo_password)
}

/// The hosts that these settings lead to, by SSH and yet to be dialled.
pub(super) fn by(
    settings: impl Iterator<Item = Settings>,
    sudo_password: Option<&SecretString>,
) -> Vec<Arc<dyn Connect>> {
    // A passphrase is asked for once a key, and only where somebody can answer.
    let keyring = Arc::new(if io::stdin().is_terminal() { Keyring::asking(ask) } else { Keyring::new() });
    let dialer = |settings| {
        let settings = Settings { sudo_password: sudo_password.cloned(), ..settings };
        Arc::new(Dialer::new(settings, Arc::clone(&keyring))) as Arc<dyn Connect>
    };
    settings.map(dialer).collect()
}

fn ask(key: &Path) -> Option<SecretString> {
    rpassword::prompt_password(format!("passphrase of {}: ", key.display())).ok().map(SecretString::from)
}
