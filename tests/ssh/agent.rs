use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::sshd::{Sshd, kill};

/// A real ssh-agent that ends with the test.
pub struct Agent {
    pub socket: PathBuf,
    process: std::process::Child,
}

impl Agent {
    pub fn start(sshd: &Sshd) -> Self {
        let socket = sshd.path("agent");
        let process = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        for _ in 0..200 {
            if socket.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { socket, process }
    }

    pub fn add(&self, key: &Path) {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).stdin(Stdio::null());
        assert!(command.status().unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        kill(self.process.id());
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}
