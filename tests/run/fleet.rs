use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::sshd::Sshd;

/// Eight hosts, `node1` to `node8` at 127.0.0.2 to 127.0.0.9, and somebody's home from where kfleet goes to them.
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
        let addresses: String = (1..=Self::HOSTS).map(|host| format!("ListenAddress {}\n", address(host))).collect();
        let sshd = Sshd::with(&format!("MaxStartups 100\n{addresses}"), &["ed25519"])?;
        let home = TempDir::new().unwrap();
        let mut inventory = format!(
            "[cluster]\nname = \"lab\"\n[ssh]\nuser = \"root\"\nport = {}\nidentities = [{:?}]\nknown_hosts = [{:?}]\n",
            sshd.port,
            sshd.path("id"),
            sshd.path("known_hosts")
        );
        // The default takes the old ssh of a CI machine seven times as long.
        let mut ssh_config = "StrictHostKeyChecking yes\nLogLevel ERROR\nUser root\nIdentitiesOnly yes\nKexAlgorithms curve25519-sha256\n".to_owned();
        for host in 1..=Self::HOSTS {
            let (address, port) = (address(host), sshd.port);
            sshd.know(&format!("[{address}]:{port}"), "ed25519");
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

    /// kfleet in that home, with nothing on stdin.
    pub fn kfleet(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfleet"));
        command.args(arguments).current_dir(self.home.path()).env_clear();
        command.env("HOME", self.home.path()).env("USER", "root").env("PATH", std::env::var_os("PATH").unwrap());
        command.stdin(Stdio::null());
        command
    }

    /// `kfleet run` with these arguments, to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.kfleet(&["run"]).args(arguments))
    }

    /// The real clush on all hosts, with these arguments; `None`, said on stdout, where there is none.
    pub fn clush(&self, arguments: &[&str]) -> Option<Ran> {
        let mut clush = Command::new("clush");
        clush.args(["-w", "node[1-8]", "-o"]).arg(format!("-F {}", self.path("ssh_config").display())).args(arguments);
        clush.env("HOME", self.home.path()).env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
        if Command::new("clush").arg("--version").output().is_err() {
            println!("left out: there is no clush on this machine");
            return None;
        }
        Some(Ran::of(&mut clush))
    }
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code(),
        }
    }

    /// The lines of stdout, in an order of their own.
    pub fn lines(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self.stdout.lines().collect();
        lines.sort_unstable();
        lines
    }
}

/// Where a host is, by its number from 1.
pub fn address(host: usize) -> String {
    format!("127.0.0.{}", host + 1)
}

/// The most memory that a process had in use until it ended, in kB.
pub fn peak_memory(process: u32) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) {
            let Some(line) = status.lines().find(|line| line.starts_with("VmHWM:")) else { break };
            peak = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        peak
    })
}
