use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::ran::Ran;
use crate::sshd::Sshd;

/// An sshd with an ssh_config that leads to it by the names one, two and three; and a place to run programs in.
pub struct Stage {
    pub sshd: Sshd,
    links: TempDir,
}

/// A program of pssh's, with what it is called with. `{F}` is the ssh_config, `{port}` the sshd's port, `{here}` the directory.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub program: &'a str,
    pub arguments: &'a [&'a str],
    pub environment: &'a [(&'a str, &'a str)],
    pub stdin: &'a str,
}

impl<'a> Call<'a> {
    pub fn new(program: &'a str, arguments: &'a [&'a str]) -> Self {
        Self { program, arguments, environment: &[], stdin: "" }
    }
}

/// pssh's programs as Debian calls them.
pub const PROGRAMS: [(&str, &str); 5] = [
    ("pssh", "parallel-ssh"),
    ("pscp", "parallel-scp"),
    ("pslurp", "parallel-slurp"),
    ("prsync", "parallel-rsync"),
    ("pnuke", "parallel-nuke"),
];

/// Whether the real pssh is on this machine; where it is not, that is told.
pub fn has_pssh() -> bool {
    let is_there = Path::new("/usr/bin/parallel-ssh").exists();
    if !is_there {
        println!("left out: the comparison with the real pssh, because Debian's package pssh is not installed");
    }
    is_there
}

/// The same of rsync.
pub fn has_rsync() -> bool {
    let is_there = Path::new("/usr/bin/rsync").exists();
    if !is_there {
        println!("left out: there is no rsync on this machine");
    }
    is_there
}

impl Stage {
    /// `None` where this machine cannot run an sshd, which is told.
    pub fn set() -> Option<Self> {
        // What the shell of who runs the tests reads when it starts is not theirs to wait for.
        let lines = "AcceptEnv PSSH_*\nMaxStartups 100\nSubsystem sftp internal-sftp";
        let sshd = Sshd::with(lines, &["ed25519"])?;
        let path = |name: &str| sshd.path(name).display().to_string();
        let config = format!(
            "Host one two three\nHostName 127.0.0.1\nPort {}\nHost *\nUser root\nIdentityFile {}\nIdentitiesOnly yes\n\
             UserKnownHostsFile {}\nGlobalKnownHostsFile /dev/null\nLogLevel ERROR\nStrictHostKeyChecking yes\n",
            sshd.port,
            path("id"),
            path("known_hosts")
        );
        fs::write(sshd.path("ssh_config"), config).unwrap();
        let links = TempDir::new().unwrap();
        for (name, other) in PROGRAMS.into_iter().chain([("pscp.pssh", "pscp.debian")]) {
            for name in [name, other] {
                symlink(env!("CARGO_BIN_EXE_kfleet"), links.path().join(name)).unwrap();
            }
        }
        Some(Self { sshd, links })
    }

    /// What kfleet does under that name.
    pub fn kfleet(&self, call: Call<'_>) -> Ran {
        self.run(self.links.path().join(call.program), call)
    }

    /// What the real program does.
    pub fn real(&self, call: Call<'_>) -> Ran {
        let (_, name) = PROGRAMS.iter().find(|(name, _)| *name == call.program).unwrap();
        self.run(Path::new("/usr/bin").join(name), call)
    }

    /// Runs both, which must come to the same; gives kfleet's.
    pub fn same(&self, call: Call<'_>) -> Ran {
        let kfleet = self.kfleet(call);
        if has_pssh() {
            assert_eq!(kfleet, self.real(call), "kfleet, and the real one: {call:?}");
        }
        kfleet
    }

    /// Where kfleet is by that name.
    pub fn link(&self, name: &str) -> String {
        self.links.path().join(name).display().to_string()
    }

    /// What is said to a terminal, by a program that stands for one.
    pub fn on_terminal(&self, call: Call<'_>) -> Ran {
        self.run(Path::new("/usr/bin").join(call.program), call)
    }

    fn run(&self, program: PathBuf, call: Call<'_>) -> Ran {
        let directory = TempDir::new().unwrap();
        let here = directory.path();
        furnish(here);
        let filled = |text: &&str| {
            text.replace("{F}", self.sshd.path("ssh_config").to_str().unwrap())
                .replace("{port}", &self.sshd.port.to_string())
                .replace("{here}", here.to_str().unwrap())
        };
        let mut command = Command::new(program);
        command.args(call.arguments.iter().map(filled)).current_dir(here);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", here).env("LC_ALL", "C.UTF-8").env("USER", "root");
        command.envs(call.environment.iter().map(|(name, value)| (*name, filled(value))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who does not read it has ended.
        let _ = child.stdin.take().unwrap().write_all(call.stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        let ran = Ran::new(output.status.code(), &output.stdout, &output.stderr, here);
        let place = |text: &str| text.replace(here.to_str().unwrap(), "{here}");
        Ran {
            lines: ran.lines.iter().map(|line| place(line)).collect(),
            blocks: ran.blocks.iter().map(|block| place(block)).collect(),
            stderr: place(&ran.stderr),
            ..ran
        }
    }
}

/// Files that calls are about.
fn furnish(here: &Path) {
    fs::write(here.join("kube"), "# the cluster\none\n\ntwo # a worker\n").unwrap();
    fs::write(here.join("users"), "root@one\ntwo root\nthree nobody-here-1\n").unwrap();
    fs::write(here.join("wrong"), "one a b\nroot@two root\nthree\n").unwrap();
    fs::write(here.join("odd"), "one\ntwo:\n\nweb_1,x\nthree:port # none\n").unwrap();
    fs::create_dir_all(here.join("tree/inner")).unwrap();
    fs::write(here.join("file"), "text\nof a file").unwrap();
    fs::write(here.join("tree/a file"), "one").unwrap();
    fs::write(here.join("tree/inner/$x'\\y"), "two").unwrap();
    fs::write(here.join("tree/inner/.hidden"), "").unwrap();
    for (name, mode) in [("file", 0o640), ("tree/a file", 0o755), ("tree/inner", 0o700)] {
        fs::set_permissions(here.join(name), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    fs::create_dir(here.join("there")).unwrap();
    fs::write(here.join("there/file"), "an older one, which is longer").unwrap();
    fs::set_permissions(here.join("there/file"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}
