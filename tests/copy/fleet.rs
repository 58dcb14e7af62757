use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::sshd::Sshd;

/// Eight hosts, `node1` to `node8` at 127.0.0.2 to 127.0.0.9, each with a directory of its own where its logins start; and
/// somebody's home from where kfleet goes to them.
pub struct Fleet {
    sshd: Sshd,
    home: TempDir,
}

/// What a run wrote and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

impl Fleet {
    pub const HOSTS: usize = 8;

    /// `None`, with the reason on stdout, where this machine cannot run an sshd.
    pub fn start() -> Option<Self> {
        let home = TempDir::new().unwrap();
        let addresses: String = (1..=Self::HOSTS).map(|host| format!("ListenAddress {}\n", address(host))).collect();
        // The third word is the address that was dialled: all hosts share one file system, and are told apart by it.
        let login = format!(
            "ForceCommand set -- $SSH_CONNECTION; cd {}/$3 && exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"",
            home.path().display()
        );
        let sshd = Sshd::with(&format!("MaxStartups 100\n{login}\n{addresses}"), &["ed25519"])?;
        let mut inventory = format!(
            "[cluster]\nname = \"lab\"\n[ssh]\nuser = \"root\"\nport = {}\nidentities = [{:?}]\nknown_hosts = [{:?}]\n",
            sshd.port,
            sshd.path("id"),
            sshd.path("known_hosts")
        );
        for host in 1..=Self::HOSTS {
            let address = address(host);
            fs::create_dir(home.path().join(&address)).unwrap();
            sshd.know(&format!("[{address}]:{}", sshd.port), "ed25519");
            let role = if host == 1 { "control-plane" } else { "worker" };
            inventory += &format!("[[hosts]]\nname = \"node{host}\"\naddress = \"{address}\"\nrole = \"{role}\"\n");
        }
        fs::write(home.path().join("inventory.toml"), inventory).unwrap();
        Some(Self { sshd, home })
    }

    /// A file in that home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A file on a host, by the host's number from 1.
    pub fn there(&self, host: usize, name: &str) -> PathBuf {
        self.path(&address(host)).join(name)
    }

    /// kfleet in that home, with nothing on stdin.
    pub fn kfleet(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfleet"));
        command.args(arguments).current_dir(self.home.path()).env_clear();
        command.env("HOME", self.home.path()).env("USER", "root").env("PATH", std::env::var_os("PATH").unwrap());
        command.stdin(Stdio::null());
        command
    }

    /// kfleet to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.kfleet(arguments))
    }

    /// The same, which must go well.
    pub fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.status, Some(0), "{arguments:?}: {ran:?}");
        ran
    }

    /// The same with this on stdin.
    pub fn reading(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child =
            self.kfleet(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }

    /// What lies on the hosts from transfers that have not ended, or have not been cleared away.
    pub fn asides(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut left = vec![self.home.path().to_owned()];
        while let Some(directory) = left.pop() {
            // What is being removed right now is gone.
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(".kfleet-") {
                    found.push(entry.path());
                } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    left.push(entry.path());
                }
            }
        }
        found
    }

    /// The processes that serve connections.
    pub fn connections(&self) -> Vec<u32> {
        self.sshd.connections()
    }
}

impl Ran {
    fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    fn from(output: std::process::Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code(),
        }
    }
}

/// Where a host is, by its number from 1.
fn address(host: usize) -> String {
    format!("127.0.0.{}", host + 1)
}

/// Bytes that look like nothing in particular, and are the same each time.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Whether a file holds exactly this.
pub fn holds(path: &Path, contents: &[u8]) -> bool {
    fs::read(path).is_ok_and(|found| found == contents)
}
