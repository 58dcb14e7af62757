use std::collections::HashMap;
use std::io;

use crate::base::SSH_PASSWORD;
use crate::ssh::Settings;

use super::password::PasswordSource;

/// The password to log in with, where a host takes one.
#[derive(Debug, clap::Args)]
pub(super) struct SshPasswordArg {
    /// Ask for the password to log in with, once for each user, before connecting; else $KFLEET_SSH_PASSWORD, where it is set
    #[arg(short = 'k', long)]
    ask_ssh_password: bool,

    /// Read the password to log in with from the first line of this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "ask_ssh_password")]
    ssh_password_fd: Option<u32>,

    /// Run this command here, and take its first line as the password to log in with
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["ask_ssh_password", "ssh_password_fd"])]
    ssh_password_command: Option<String>,
}

impl SshPasswordArg {
    /// Gives the hosts their users' passwords, where there are any.
    ///
    /// # Errors
    /// When its source gives none, as where it is to be asked for and there is no terminal to ask on.
    pub(super) fn give(&self, hosts: &mut [Settings]) -> io::Result<()> {
        let source = PasswordSource {
            ask: self.ask_ssh_password,
            fd: self.ssh_password_fd,
            command: self.ssh_password_command.as_deref(),
            flag: "--ssh-password",
            variable: SSH_PASSWORD,
        };
        let mut known = HashMap::new();
        for host in hosts {
            // Only a person knows several; the other sources are read once.
            let whose = if source.ask { host.user.clone() } else { String::new() };
            if !known.contains_key(&whose) {
                let password = source.get(&format!("SSH password of {}: ", host.user))?;
                known.insert(whose.clone(), password);
            }
            host.password = known.get(&whose).cloned().flatten();
        }
        Ok(())
    }
}
