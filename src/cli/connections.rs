use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use crate::host::Connect;
use crate::ssh::{Dialer, Hops, Keyring, Wanted};

use super::Exit;
use super::exit::{complain, note};
use super::password::somebody_can_be_asked;
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
        note(remark);
    }
    let mut hosts = resolved.settings;
    for host in &mut hosts {
        host.root = root;
        host.sudo_password = sudo_password.cloned();
    }
    ssh.give_passwords(&mut hosts)
        .map_err(|error| complain(Exit::Local, &format!("cannot get the SSH password: {error}")))?;
    let keyring = Keyring::new();
    // Once a key, where somebody can answer, and before anything is drawn.
    if somebody_can_be_asked() {
        keyring.unlock(&hosts, ask);
    }
    let (keyring, hops) = (Arc::new(keyring), Arc::new(Hops::default()));
    let dialer = |host| Arc::new(Dialer::sharing(host, Arc::clone(&keyring), Arc::clone(&hops))) as Arc<dyn Connect>;
    Ok(hosts.into_iter().map(dialer).collect())
}

fn ask(key: &Path) -> Option<SecretString> {
    rpassword::prompt_password(format!("passphrase of {}: ", key.display())).ok().map(SecretString::from)
}
