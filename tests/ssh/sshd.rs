use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kfleet::host::{Connect, Exit, Host, HostError, Request, Stream, User};
use kfleet::ssh::{Dialer, Keyring, Settings};
use tempfile::TempDir;

/// A real sshd with a directory of its own; it ends with the test.
pub struct Sshd {
    pub directory: TempDir,
    pub port: u16,
    process: Child,
}

impl Sshd {
    /// One with an ed25519 host key that lets root in with the key `id`; `None`, with the reason on stdout, where this
    /// machine cannot run one.
    pub fn start() -> Option<Self> {
        Self::with("", &["ed25519"])
    }

    /// The same with more lines in its configuration and host keys of these types.
    pub fn with(lines: &str, host_keys: &[&str]) -> Option<Self> {
        Self::prepared(lines, host_keys, |_| {})
    }

    /// The same with what `prepare` puts into its directory before it starts; the lines have that directory as `DIR`.
    pub fn prepared(lines: &str, host_keys: &[&str], prepare: impl FnOnce(&Path)) -> Option<Self> {
        if !Path::new("/usr/sbin/sshd").exists() {
            println!("left out: there is no /usr/sbin/sshd on this machine");
            return None;
        }
        if Command::new("id").arg("-u").output().unwrap().stdout != b"0\n" {
            println!("left out: sshd needs root");
            return None;
        }
        fs::create_dir_all("/run/sshd").unwrap();
        let directory = TempDir::new().unwrap();
        // Its keys are read as the user who logs in.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = |name: &str| directory.path().join(name);
        keygen(&path("id"), "ed25519", "");
        fs::copy(path("id.pub"), path("authorized_keys")).unwrap();
        fs::write(path("known_hosts"), "").unwrap();
        let port = free_port();
        let lines = lines.replace("DIR", &directory.path().display().to_string());
        // No start-up file of this machine's root has a word in what is tested.
        let mut config = format!(
            "{lines}\nSetEnv HOME=/nonexistent\nListenAddress 127.0.0.1\nPort {port}\nPidFile none\nUsePAM no\n\
             StrictModes no\nLogLevel ERROR\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nAuthorizedKeysFile {}\n",
            path("authorized_keys").display()
        );
        for kind in host_keys {
            let key = path(&format!("host_{kind}"));
            keygen(&key, kind, "");
            config += &format!("HostKey {}\n", key.display());
        }
        fs::write(path("sshd_config"), config).unwrap();
        prepare(directory.path());
        let process = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f"])
            .arg(path("sshd_config"))
            .arg("-E")
            .arg(path("log"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let sshd = Self { directory, port, process };
        sshd.wait_until_it_listens();
        for kind in host_keys {
            sshd.know(&format!("[127.0.0.1]:{port}"), kind);
        }
        Some(sshd)
    }

    fn wait_until_it_listens(&self) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                let mut greeting = [0; 4];
                if stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-" {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("sshd did not come up");
    }

    /// A file in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `algorithm base64` of one of its host keys.
    pub fn host_key(&self, kind: &str) -> String {
        public(&self.path(&format!("host_{kind}")))
    }

    /// Adds a line for one of its host keys to known_hosts.
    pub fn know(&self, host: &str, kind: &str) {
        let path = self.path("known_hosts");
        let known = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{known}{host} {}\n", self.host_key(kind))).unwrap();
    }

    /// How to log in to it.
    pub fn settings(&self) -> Settings {
        Settings {
            port: self.port,
            identities: vec![self.path("id")],
            agent: None,
            known_hosts: vec![self.path("known_hosts")],
            connect_timeout: Duration::from_secs(30),
            ..Settings::to("one", "127.0.0.1", "root")
        }
    }

    pub async fn connect(&self) -> Arc<dyn Host> {
        connect(self.settings()).await.unwrap()
    }

    /// How many lines of its log say this; logins are there with `LogLevel INFO`.
    pub fn logged(&self, what: &str) -> usize {
        fs::read_to_string(self.path("log")).unwrap().lines().filter(|line| line.contains(what)).count()
    }

    /// The processes that serve its connections.
    pub fn connections(&self) -> Vec<u32> {
        children(self.process.id())
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        for connection in self.connections() {
            kill(connection);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub async fn connect(settings: Settings) -> Result<Arc<dyn Host>, HostError> {
    Dialer::new(settings, Arc::new(Keyring::new())).connect().await
}

/// What a script wrote and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub exit: Exit,
}

impl Ran {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

pub fn script(text: &str, deadline: Duration) -> Request {
    Request::script(text.into(), User::Login, deadline)
}

pub async fn try_run(host: &dyn Host, request: Request) -> Result<Ran, HostError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut output = |stream, bytes: &[u8]| match stream {
        Stream::Stdout => stdout.extend_from_slice(bytes),
        Stream::Stderr => stderr.extend_from_slice(bytes),
    };
    let exit = host.exec(request, &mut output).await?;
    Ok(Ran { stdout, stderr, exit })
}

pub async fn run(host: &dyn Host, text: &str) -> Ran {
    try_run(host, script(text, Duration::from_secs(60))).await.unwrap()
}

pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-C", "test", "-N", passphrase, "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
}

/// `algorithm base64` of a key's public half.
pub fn public(key: &Path) -> String {
    let text = fs::read_to_string(key.with_extension("pub")).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Kills one process by its id.
pub fn kill(process: u32) {
    let _ = Command::new("kill").args(["-9", &process.to_string()]).stderr(Stdio::null()).status();
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes
        .filter(|process: &u32| {
            fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| {
                // The name, in parentheses, may hold anything; the parent is the second field behind it.
                stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok()) == Some(parent)
            })
        })
        .collect()
}
