use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::sshd::Sshd;

/// Eight hosts, `node1` to `node8` at 127.0.0.2 to 127.0.0.9, each with a directory of its own where its logins start; and
/// somebody's home from where kfleet goes to them, with an inventory and an `ssh_config`.
pub struct Fleet {
    pub sshd: Sshd,
    pub home: TempDir,
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
        // The default takes the old ssh of a CI machine seven times as long.
        let mut ssh_config = "StrictHostKeyChecking yes\nLogLevel ERROR\nUser root\nIdentitiesOnly yes\nKexAlgorithms curve25519-sha256\n".to_owned();
        for host in 1..=Self::HOSTS {
            let address = address(host);
            fs::create_dir(home.path().join(&address)).unwrap();
            sshd.know(&format!("[{address}]:{}", sshd.port), "ed25519");
            let role = if host == 1 { "control-plane" } else { "worker" };
            inventory += &format!("[[hosts]]\nname = \"node{host}\"\naddress = \"{address}\"\nrole = \"{role}\"\n");
            ssh_config += &format!("Host node{host}\nHostName {address}\n");
        }
        ssh_config += &format!(
            "Host *\nPort {}\nIdentityFile {}\nUserKnownHostsFile {}\n",
            sshd.port,
            sshd.path("id").display(),
            sshd.path("known_hosts").display()
        );
        fs::write(home.path().join("inventory.toml"), inventory).unwrap();
        fs::write(home.path().join("ssh_config"), ssh_config).unwrap();
        fs::create_dir(home.path().join(".ssh")).unwrap();
        fs::copy(sshd.path("id"), home.path().join(".ssh/id_ed25519")).unwrap();
        fs::copy(sshd.path("known_hosts"), home.path().join(".ssh/known_hosts")).unwrap();
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
        Ran::of(&mut self.kfleet(arguments))
    }

    /// The same with this on stdin.
    pub fn reading(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child =
            self.kfleet(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().into()
    }
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        command.output().unwrap().into()
    }

    /// It went well.
    #[track_caller]
    pub fn well(self) -> Self {
        assert_eq!(self.status, Some(0), "{self:?}");
        self
    }

    /// The lines of stdout, in an order of their own.
    pub fn lines(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self.stdout.lines().collect();
        lines.sort_unstable();
        lines
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code(),
        }
    }
}

/// Where a host is, by its number from 1.
pub fn address(host: usize) -> String {
    format!("127.0.0.{}", host + 1)
}
