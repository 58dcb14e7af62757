use std::io::{self, Write};
use std::path::PathBuf;

use secrecy::SecretString;

use crate::ssh::{Keyring, Settings, Via};

/// What pssh says on stdout, word for word.
const WARNING: &[u8] = b"Warning: do not enter your password if anyone else has superuser
privileges or access to your account.
";

/// Asks on the terminal for one password, and gives it to whatever ssh would ask it for: hosts, what they are reached through, and
/// locked keys.
///
/// # Errors
/// When there is no terminal to ask on.
pub(super) fn askpass(hosts: &mut [Settings], keyring: &Keyring) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(WARNING)?;
    stdout.flush()?;
    let password = SecretString::from(rpassword::prompt_password("Password: ")?);
    let mut last = PathBuf::new();
    // Before the hosts have it, since the usual keys of who has a password may stay locked. A key is told it once.
    keyring.unlock(hosts, |key| {
        let told = last == key;
        key.clone_into(&mut last);
        (!told).then(|| password.clone())
    });
    give(hosts, &password);
    Ok(())
}

fn give(hosts: &mut [Settings], password: &SecretString) {
    for host in hosts {
        host.password = Some(password.clone());
        if let Via::Jumps(jumps) = &mut host.via {
            give(jumps, password);
        }
    }
}
