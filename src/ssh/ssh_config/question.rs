use std::path::Path;
use std::process::Stdio;

use super::answer::Answer;
use super::names::{JumpHost, is_harmless, is_harmless_user};
use crate::base::{local_command, printable};
use crate::inventory::ConfigFile;

/// What `ssh` is asked: how it would get to a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) host: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    /// Jump hosts with commas between them, or `none`.
    pub(super) jump: Option<String>,
    /// As behind ssh's `-o`; of two that say the same, the first holds.
    pub(super) options: Vec<String>,
    pub(super) config: Option<ConfigFile>,
}

impl Question {
    /// Asks the `ssh` at `client`.
    ///
    /// # Errors
    /// With ssh's own words, where it does not answer.
    pub(super) fn ask(&self, client: &Path) -> Result<Answer, String> {
        self.check()?;
        let mut command = local_command(client);
        command.arg("-G").stdin(Stdio::null());
        match &self.config {
            None => {}
            Some(ConfigFile::At(path)) => drop(command.arg("-F").arg(path)),
            Some(ConfigFile::Nothing) => drop(command.args(["-F", "none"])),
        }
        for option in &self.options {
            command.args(["-o", option]);
        }
        if let Some(user) = &self.user {
            command.args(["-l", user]);
        }
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        if let Some(jump) = &self.jump {
            command.args(["-o", &format!("ProxyJump={jump}")]);
        }
        let output = command.args(["--", &self.host]).output();
        let output = output.map_err(|error| format!("cannot run {}: {error}", client.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: Vec<String> = said.lines().map(printable).filter(|line| !line.trim().is_empty()).collect();
            return Err(format!("`ssh -G {}` fails: {}", self.host, said.join("; ")));
        }
        Ok(Answer::read(&String::from_utf8_lossy(&output.stdout)))
    }

    /// What `ssh` would answer where there is no ssh_config; `user` is who runs this.
    pub(super) fn answered_without_config(&self, user: &str) -> Result<Answer, String> {
        self.check()?;
        let user = self.user.as_deref().unwrap_or(user);
        let mut lines = format!("hostname {}\nuser {user}\nport {}\n", self.host, self.port.unwrap_or(22));
        if let Some(jump) = self.jump.as_ref().filter(|jump| *jump != "none") {
            lines += &format!("proxyjump {jump}\n");
        }
        Ok(Answer::read(&lines))
    }

    /// What is asked next where `answer`, to this, names jump hosts: as `ssh` does, the last of them is called with those before
    /// it, and with no option but -F.
    pub(super) fn next(&self, answer: &Answer) -> Result<Option<Self>, String> {
        let Some(jumps) = answer.jumps(self)? else { return Ok(None) };
        let (before, last) =
            jumps.rsplit_once(',').map_or((None, jumps.as_str()), |(before, last)| (Some(before), last));
        let Some(JumpHost { host, user, port }) = JumpHost::parse(last) else {
            return Err(format!("`{}`, on the way to {}, is no jump host", printable(last), self.host));
        };
        let (jump, config) = (before.map(str::to_owned), self.config.clone());
        Ok(Some(Self { host, user, port, jump, options: Vec::new(), config }))
    }

    fn check(&self) -> Result<(), String> {
        if !is_harmless(&self.host) {
            return Err(format!("`{}` is no host's name that ssh may be asked for", printable(&self.host)));
        }
        match &self.user {
            Some(user) if !is_harmless_user(user) => {
                Err(format!("`{}` is no user's name that ssh may be asked for", printable(user)))
            }
            _ => Ok(()),
        }
    }
}
