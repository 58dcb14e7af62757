use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::host::{Exit, Host, HostError, Output, Program, Request, Stream, User};
use crate::transfer::{Copied, Copying, Fetching, How, Landing, Parcel, Progress, TransferError, copy, fetch};

/// A host whose scripts this machine's shells run, each with the tools of one directory alone, in a directory of its own.
pub(super) struct ShellHost {
    shell: PathBuf,
    tools: Option<PathBuf>,
    home: PathBuf,
}

impl ShellHost {
    /// Whether its tools know nanoseconds.
    pub(super) fn has_all_tools(&self) -> bool {
        self.tools.is_none()
    }
}

#[async_trait]
impl Host for ShellHost {
    fn name(&self) -> &str {
        "shell"
    }

    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        let Program::Script { text, .. } = request.program else { panic!("only scripts are sent") };
        let mut text = text.expose_secret().to_owned();
        let mut shell = Command::new(&self.shell);
        if let Some(tools) = &self.tools {
            // The scripts add the usual places, which are not this host's.
            text = text.replace("PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin;", ":;");
            shell.env("PATH", tools);
        }
        shell.arg("-c").arg(text).current_dir(&self.home);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = shell.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feeding = async {
            if let Some(mut input) = request.input {
                while let Some(piece) = input.next().await {
                    if stdin.write_all(&piece).await.is_err() {
                        break;
                    }
                }
            }
            drop(stdin);
        };
        let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let _ = tokio::join!(feeding, stdout.read_to_end(&mut said), stderr.read_to_end(&mut complained));
        for (stream, bytes) in [(Stream::Stdout, said), (Stream::Stderr, complained)] {
            bytes.chunks(4096).for_each(|piece| output.take(stream, piece));
        }
        let ended = child.wait().await.unwrap();
        Ok(ended.code().map_or_else(|| Exit::Signal("KILL".into()), |code| Exit::Status(code.unsigned_abs())))
    }

    async fn close(&self) {}
}

/// A directory here and a host with one of its own.
pub(super) struct Bench {
    directory: TempDir,
    pub(super) host: ShellHost,
}

impl Bench {
    /// The host has what this machine has.
    pub(super) fn new() -> Self {
        Self::with("/bin/sh", None)
    }

    /// The host has busybox and nothing else; `None` where this machine has none.
    pub(super) fn busybox() -> Option<Self> {
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].map(Path::new).into_iter().find(|path| path.exists());
        let Some(busybox) = busybox else {
            println!("left out: there is no busybox on this machine");
            return None;
        };
        let bench = Self::with("/nonexistent", None);
        let tools = bench.path("tools");
        fs::create_dir(&tools).unwrap();
        let listed = std::process::Command::new(busybox).arg("--list").output().unwrap().stdout;
        for tool in String::from_utf8(listed).unwrap().lines() {
            symlink(busybox, tools.join(tool)).unwrap();
        }
        let host = ShellHost { shell: tools.join("sh"), tools: Some(tools), ..bench.host };
        Some(Self { host, ..bench })
    }

    fn with(shell: &str, tools: Option<PathBuf>) -> Self {
        let directory = TempDir::new().unwrap();
        let home = directory.path().join("there");
        fs::create_dir(&home).unwrap();
        fs::create_dir(directory.path().join("here")).unwrap();
        Self { host: ShellHost { shell: shell.into(), tools, home }, directory }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn here(&self, name: &str) -> PathBuf {
        self.path("here").join(name)
    }

    pub(super) fn there(&self, name: &str) -> PathBuf {
        self.path("there").join(name)
    }

    /// Copies `sources`, which are names here; one that ends with `/` is what is in it.
    pub(super) async fn copy(&self, sources: &[&str], copying: Copying) -> Result<Copied, TransferError> {
        let sources: Vec<PathBuf> = sources.iter().map(|name| self.here(name)).collect();
        let parcel = Arc::new(Parcel::read(&sources).unwrap());
        copy(&self.host, &parcel, &copying, &unheard()).await
    }

    /// The same, of which only what was changed is of interest.
    pub(super) async fn changed(&self, sources: &[&str], copying: Copying) -> Vec<String> {
        told(&self.copy(sources, copying).await.unwrap())
    }
}

/// Fetches what is at a path there into a directory here.
impl Bench {
    pub(super) async fn fetch(&self, source: &[u8], into: &str) -> Result<Copied, TransferError> {
        fetch(&self.host, &from(source), &self.here(into), &unheard()).await
    }
}

pub(super) fn from(source: &[u8]) -> Fetching {
    Fetching { source: source.to_vec(), name: None, user: User::Login, dry: false }
}

/// Nobody looks.
pub(super) fn unheard() -> Progress {
    Progress::new(|_, _| {})
}

pub(super) fn to(destination: &str) -> Copying {
    Copying {
        destination: destination.into(),
        landing: Landing::Inside,
        owner: None,
        mode: None,
        delete: false,
        user: User::Login,
        dry: false,
    }
}

/// As `+ new`, `~ contents`, `= attributes`, `- removed`.
pub(super) fn told(copied: &Copied) -> Vec<String> {
    let line = |change: &crate::transfer::Change| {
        let sign = match change.how {
            How::New => "+",
            How::Contents => "~",
            How::Attributes => "=",
            How::Removed => "-",
        };
        format!("{sign} {}", String::from_utf8_lossy(&change.path))
    };
    copied.changes.iter().map(line).collect()
}

/// Writes a file with a mode and a time of its own, whose directory is made if need be.
pub(super) fn write(path: &Path, contents: &[u8], mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = fs::File::create(path).unwrap();
    file.write_all(contents).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000 + u64::from(mode), 123_456_789);
    file.set_modified(time).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Everything below a directory that is not its own path: kinds, modes, times (of files and directories, to the second or, if `fine`,
/// the nanosecond), contents and targets.
pub(super) fn picture(root: &Path, fine: bool) -> BTreeMap<Vec<u8>, String> {
    let mut all = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let nanos = if fine { metadata.mtime_nsec() } else { 0 };
        let attributes = format!("{:o} {}.{nanos}", metadata.mode() & 0o7777, metadata.mtime());
        let text = if metadata.is_symlink() {
            format!("link {:?}", fs::read_link(&path).unwrap())
        } else if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            format!("directory {attributes}")
        } else {
            format!("file {attributes} {:?}", fs::read(&path).unwrap())
        };
        all.insert(path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec(), text);
    }
    all
}

/// A tree with everything that a name, a mode and a time can have.
pub(super) fn nasty_tree(root: &Path) {
    write(&root.join("plain"), b"plain\n", 0o644);
    write(&root.join("empty"), b"", 0o600);
    write(&root.join("program"), b"#!/bin/sh\n", 0o4755);
    write(&root.join("-rf"), b"dash", 0o640);
    write(&root.join("two words/and  three"), b"blank", 0o644);
    write(&root.join("line\nend\n"), b"newline", 0o644);
    write(&root.join("back\\slash\\0101"), b"backslash", 0o644);
    write(&root.join("quotes ' \" ` $HOME *?[a]"), b"quotes", 0o644);
    write(&root.join("\u{202e}☸ é"), b"unicode", 0o644);
    write(&root.join(OsStr::from_bytes(b"latin-\xe9\xff")), b"bytes", 0o644);
    write(&root.join("cr\rcr"), b"return", 0o644);
    write(&root.join("secret"), b"nobody reads it", 0o000);
    write(&root.join("deep").join("d".repeat(200)).join("e".repeat(200)).join("f".repeat(100)), b"long", 0o444);
    write(&root.join("binary"), &(0..700_000_u32).map(|at| (at % 251) as u8).collect::<Vec<_>>(), 0o644);
    fs::create_dir(root.join("nothing in it")).unwrap();
    fs::create_dir(root.join("closed")).unwrap();
    write(&root.join("closed/inside"), b"inside", 0o400);
    symlink("plain", root.join("link")).unwrap();
    symlink("/nonexistent/a b\nc\\", root.join("dangling")).unwrap();
    symlink("two words", root.join("link to a directory")).unwrap();
    symlink("t".repeat(300), root.join("-long link")).unwrap();
    for (name, mode) in [("two words", 0o2775), ("nothing in it", 0o1777), ("closed", 0o500), ("", 0o750)] {
        let path = root.join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::new(900_000_000 + u64::from(mode), 987_654_321);
        fs::File::open(&path).unwrap().set_modified(time).unwrap();
    }
}
