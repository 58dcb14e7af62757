use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::engine::session::Session;
use crate::events::{Event, Events, channel};
use crate::host::{Connect, Exit, Host, HostError, Output, Program, Request, Stream};
use crate::plan::Planned;
use crate::steps::{Action, Change, Contents, RunScript, WriteFile};

/// A host that runs its scripts by this machine's `/bin/sh`, each test's in a directory of its own.
pub(super) struct ShellHost {
    name: String,
    dir: PathBuf,
}

#[async_trait]
impl Connect for ShellHost {
    fn name(&self) -> &str {
        &self.name
    }

    /// There is no way in where there is a file `cut`.
    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        if self.dir.join("cut").exists() {
            return Err(HostError::Unreachable { address: self.name.clone(), reason: "no route to host".to_owned() });
        }
        Ok(Arc::new(Self { name: self.name.clone(), dir: self.dir.clone() }))
    }
}

#[async_trait]
impl Host for ShellHost {
    fn name(&self) -> &str {
        &self.name
    }

    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        let Program::Script { text, .. } = request.program else { panic!("the engine sends scripts") };
        let mut shell = Command::new("/bin/sh");
        let shell = shell.current_dir(&self.dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.expose_secret().as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        // Not where the lines end: a connection cuts anywhere.
        for piece in ended.stdout.chunks(7) {
            output.take(Stream::Stdout, piece);
        }
        for piece in ended.stderr.chunks(7) {
            output.take(Stream::Stderr, piece);
        }
        Ok(ended.status.code().map_or_else(|| Exit::Signal("KILL".into()), |code| Exit::Status(code.unsigned_abs())))
    }

    async fn close(&self) {}
}

/// Some hosts over one directory, `parallel` of them at work at once, and what they tell.
pub(super) struct Bench {
    pub(super) dir: TempDir,
    pub(super) events: Events,
    pub(super) told: UnboundedReceiver<Event>,
    limit: Arc<Semaphore>,
}

impl Bench {
    pub(super) fn new(parallel: usize) -> Self {
        let (events, told) = channel();
        Self { dir: TempDir::new().unwrap(), events, told, limit: Arc::new(Semaphore::new(parallel)) }
    }

    pub(super) fn session(&self, name: &str) -> Session {
        let host = || Arc::new(ShellHost { name: name.to_owned(), dir: self.dir.path().to_owned() });
        Session::new(host(), host(), Arc::clone(&self.limit), Arc::clone(&self.events))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    /// What was told so far: the event's name, its host and, of most, its step.
    pub(super) fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Ok(event) = self.told.try_recv() {
            let event = serde_json::to_value(event).unwrap();
            let word = |key: &str| event[key].as_str().map(str::to_owned);
            told.push(["event", "host", "step"].into_iter().filter_map(word).collect::<Vec<_>>().join(" "));
        }
        told
    }
}

pub(super) fn run(script: &str) -> Action {
    Action::Run(script_of(script))
}

pub(super) fn script_of(script: &str) -> RunScript {
    RunScript { command: script.to_owned(), script: script.to_owned(), deadline: Duration::from_secs(5) }
}

pub(super) fn write(path: &Path, contents: Contents, mode: Option<u32>, replaces: Option<&str>) -> Action {
    let path = path.to_str().unwrap().to_owned();
    Action::Write(WriteFile { path, contents, mode, replaces: replaces.map(str::to_owned) })
}

pub(super) fn step(name: &'static str, actions: Vec<Action>) -> Planned {
    let change = Change::Some { diff: vec![format!("+ {name}")], actions, record: Vec::new() };
    Planned { step: name, change, passing: false }
}
