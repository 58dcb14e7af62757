use std::io::{self, Write};
use std::path::PathBuf;

use secrecy::SecretString;

use crate::cli::Exit;
use crate::cli::exit::complain;
use crate::ssh::{Keyring, Settings, Via};

/// What pssh says on stdout, word for word.
const WARNING: &[u8] = b"Warning: do not enter your password if anyone else has superuser
privileges or access to your account.
";

/// Asks on the terminal for one password. Where there is none, that has been told on stderr.
pub(super) fn askpass() -> Result<SecretString, Exit> {
    let ask = || {
        let mut stdout = io::stdout().lock();
        stdout.write_all(WARNING)?;
        stdout.flush()?;
        rpassword::prompt_password("Password: ")
    };
    ask()
        .map(SecretString::from)
        .map_err(|error| complain(Exit::Local, &format!("-A: cannot ask for the password on a terminal: {error}")))
}

/// Gives a password to whatever ssh would ask it for: hosts, what they are reached through, and locked keys.
pub(super) fn hand_over(password: &SecretString, hosts: &mut [Settings], keyring: &Keyring) {
    let mut last = PathBuf::new();
    // Before the hosts have it, since the usual keys of who has a password may stay locked. A key is told it once.
    keyring.unlock(hosts, |key| {
        let told = last == key;
        key.clone_into(&mut last);
        (!told).then(|| password.clone())
    });
    give(hosts, password);
}

fn give(hosts: &mut [Settings], password: &SecretString) {
    for host in hosts {
        host.password = Some(password.clone());
        if let Via::Jumps(jumps) = &mut host.via {
            give(jumps, password);
        }
    }
}
