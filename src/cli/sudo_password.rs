use secrecy::SecretString;

use crate::base::SUDO_PASSWORD;

use super::Exit;
use super::exit::complain;
use super::password::PasswordSource;

/// The password that sudo asks for on the hosts, for every command that becomes root there.
#[derive(Debug, clap::Args)]
pub(super) struct SudoPasswordArg {
    /// Ask for the password of sudo on the hosts, once, before connecting; else $KFLEET_SUDO_PASSWORD, where it is set
    #[arg(short = 'K', long)]
    ask_sudo_password: bool,

    /// Read the password of sudo from the first line of this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "ask_sudo_password")]
    sudo_password_fd: Option<u32>,

    /// Run this command here, and take its first line as the password of sudo
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["ask_sudo_password", "sudo_password_fd"])]
    sudo_password_command: Option<String>,
}

impl SudoPasswordArg {
    /// The password, where there is one.
    ///
    /// # Errors
    /// When its source gives none, as where it is to be asked for and there is no terminal to ask on; said already.
    pub(super) fn get(&self) -> Result<Option<SecretString>, Exit> {
        let source = PasswordSource {
            ask: self.ask_sudo_password,
            fd: self.sudo_password_fd,
            command: self.sudo_password_command.as_deref(),
            flag: "--sudo-password",
            variable: SUDO_PASSWORD,
        };
        source
            .get("sudo password on the hosts: ")
            .map_err(|error| complain(Exit::Local, &format!("cannot get the password of sudo: {error}")))
    }
}
