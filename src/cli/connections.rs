use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use crate::host::Connect;
use crate::ssh::{Dialer, Hops, Keyring, Settings, Wanted};

use super::Exit;
use super::exit::complain;
use super::ssh_args::SshArgs;

/// The hosts that are wanted, by SSH and yet to be dialled, to run things on as root if need be; or, what is wrong with
/// ssh_config having been told on stderr, the exit.
pub(super) fn to(
    wanted: &[Wanted],
    ssh: &SshArgs,
    root: bool,
    sudo_password: Option<&SecretString>,
) -> Result<Vec<Arc<dyn Connect>>, Exit> {
    let resolved = ssh.config().resolve(wanted).map_err(|reason| complain(Exit::Usage, &reason))?;
    for remark in &resolved.remarks {
        complain(Exit::SUCCESS, remark);
    }
    // A passphrase is asked for once a key, and only where somebody can answer.
    let keyring = Arc::new(if io::stdin().is_terminal() { Keyring::asking(ask) } else { Keyring::new() });
    let hops = Arc::new(Hops::default());
    let dialer = |settings| {
        let settings = Settings { root, sudo_password: sudo_password.cloned(), ..settings };
        Arc::new(Dialer::sharing(settings, Arc::clone(&keyring), Arc::clone(&hops))) as Arc<dyn Connect>
    };
    Ok(resolved.settings.into_iter().map(dialer).collect())
}

fn ask(key: &Path) -> Option<SecretString> {
    rpassword::prompt_password(format!("passphrase of {}: ", key.display())).ok().map(SecretString::from)
}
