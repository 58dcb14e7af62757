use std::ffi::OsStr;
use std::io;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// Has the password to log in with.
pub const SSH_PASSWORD: &str = "KFLEET_SSH_PASSWORD";
/// Has the password of sudo on the hosts.
pub const SUDO_PASSWORD: &str = "KFLEET_SUDO_PASSWORD";
/// Has what the CA's key is encrypted with.
pub const CA_PASSPHRASE: &str = "KFLEET_CA_PASSPHRASE";

/// A program of this machine, to be run with this environment but for the variables that have secrets: they are kfleet's, and no
/// `ProxyCommand`'s or `Match exec`'s. Nothing is run but by this.
#[must_use]
pub fn local_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for secret in [SSH_PASSWORD, SUDO_PASSWORD, CA_PASSPHRASE] {
        command.env_remove(secret);
    }
    command
}

/// A child with all that it starts. A Ctrl-C at the terminal does not reach them; they are killed when this is dropped before
/// the child's end was waited for.
#[derive(Debug)]
pub struct ProcessGroup {
    /// Who leads it.
    pub leader: Child,
}

impl ProcessGroup {
    /// Starts `command` as its leader. Must be called within a runtime.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn spawn(command: Command) -> io::Result<Self> {
        let mut command = tokio::process::Command::from(command);
        Ok(Self { leader: command.process_group(0).kill_on_drop(true).spawn()? })
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // One that was waited for has no id any more; another process may have it.
        let leader = self.leader.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = leader {
            // Where it has ended by itself there is nothing left to kill.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
