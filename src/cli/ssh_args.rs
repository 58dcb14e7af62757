use std::io;
use std::path::PathBuf;

use crate::inventory::ConfigFile;
use crate::ssh::{Settings, SshConfig};

use super::ssh_password::SshPasswordArg;

/// How the hosts are reached, for every command that connects to some.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "SSH")]
pub(super) struct SshArgs {
    /// Read this file in place of ~/.ssh/config and /etc/ssh/ssh_config; `none` reads neither
    #[arg(short = 'F', value_name = "SSH_CONFIG")]
    ssh_config: Option<PathBuf>,

    /// An option of ssh_config, such as `ProxyJump=bastion`; it comes before what the inventory and ssh_config say
    #[arg(short = 'o', value_name = "OPTION=VALUE")]
    ssh_options: Vec<String>,

    #[command(flatten)]
    password: SshPasswordArg,
}

impl SshArgs {
    /// What answers how a host is reached.
    pub(super) fn config(&self) -> SshConfig {
        let config = self.ssh_config.clone().map(|path| match path.to_str() {
            Some("none") => ConfigFile::Nothing,
            _ => ConfigFile::At(path),
        });
        SshConfig::new(config, self.ssh_options.clone())
    }

    /// Gives the hosts their users' passwords, where there are any.
    ///
    /// # Errors
    /// When where they are to come from gives none.
    pub(super) fn give_passwords(&self, hosts: &mut [Settings]) -> io::Result<()> {
        self.password.give(hosts)
    }
}
