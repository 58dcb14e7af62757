use std::{env, io};

use secrecy::SecretString;

const VARIABLE: &str = "KFLEET_SUDO_PASSWORD";

/// The password that sudo asks for on the hosts, for every command that becomes root there.
#[derive(Debug, clap::Args)]
pub(super) struct SudoPasswordArg {
    /// Ask for the password of sudo on the hosts, once, before connecting; else $KFLEET_SUDO_PASSWORD, where it is set
    #[arg(short = 'K', long)]
    ask_sudo_password: bool,
}

impl SudoPasswordArg {
    /// The password, where there is one.
    ///
    /// # Errors
    /// When it is to be asked for and there is no terminal to ask on, or the variable is not UTF-8.
    pub(super) fn get(&self) -> io::Result<Option<SecretString>> {
        if self.ask_sudo_password {
            return rpassword::prompt_password("sudo password on the hosts: ").map(|password| Some(password.into()));
        }
        match env::var(VARIABLE) {
            Ok(password) => Ok(Some(password.into())),
            Err(env::VarError::NotPresent) => Ok(None),
            // The value itself must not be in the message.
            Err(env::VarError::NotUnicode(_)) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("{VARIABLE} is not UTF-8")))
            }
        }
    }
}
