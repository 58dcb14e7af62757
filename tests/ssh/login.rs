use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use kfleet::host::{Connect, HostError};
use kfleet::ssh::{Dialer, Keyring, Settings};

use crate::sshd::{Sshd, connect, keygen, kill, run};

/// A real ssh-agent that ends with the test.
struct Agent {
    socket: PathBuf,
    process: std::process::Child,
}

impl Agent {
    fn start(sshd: &Sshd) -> Self {
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

    fn add(&self, key: &Path) {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).stdin(Stdio::null());
        assert!(command.status().unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        kill(self.process.id());
        let _ = self.process.wait();
    }
}

fn refusal(error: &HostError) -> (&str, &str) {
    match error {
        HostError::Authentication { reason, hint, .. } => (reason, hint),
        other => panic!("{other:?}"),
    }
}

async fn refused(settings: Settings) -> HostError {
    connect(settings).await.err().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_key_lets_in() {
    let Some(sshd) = Sshd::start() else { return };
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = sshd.path(kind);
        keygen(&key, kind, "");
        std::fs::copy(sshd.path(&format!("{kind}.pub")), sshd.path("authorized_keys")).unwrap();
        let mut settings = sshd.settings();
        settings.identities = vec![key];
        let host = connect(settings).await.unwrap();
        assert_eq!(run(&*host, "echo in").await.text(), "in\n", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_named_with_what_the_server_takes() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.path("wrong"), "ed25519", "");
    let mut settings = sshd.settings();
    settings.identities = vec![sshd.path("missing"), sshd.path("wrong")];
    let error = refused(settings).await;
    let (reason, hint) = refusal(&error);
    let missing = sshd.path("missing").display().to_string();
    assert!(reason.starts_with("SHA256:") && reason.contains("wrong) was refused; "), "{reason}");
    let rest = format!("{missing} was not offered: there is no such file; the server still takes publickey");
    assert!(reason.ends_with(&rest), "{reason}");
    assert!(hint.contains("ssh-copy-id"), "{hint}");

    let mut settings = sshd.settings();
    settings.identities = vec![sshd.path("missing")];
    let error = refused(settings).await;
    assert!(refusal(&error).1.contains("name a private key"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_for_once_a_run() {
    let Some(sshd) = Sshd::start() else { return };
    let key = sshd.path("locked");
    keygen(&key, "ed25519", "open sesame");
    std::fs::copy(sshd.path("locked.pub"), sshd.path("authorized_keys")).unwrap();
    let mut settings = sshd.settings();
    settings.identities = vec![key.clone()];
    let shown = key.display().to_string();

    let error = refused(settings.clone()).await;
    assert!(refusal(&error).0.contains("it has a passphrase, and none was given"), "{error}");

    for (answer, taken) in [(Some("open sesame"), true), (Some("wrong"), false), (None, false)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, key) = (Arc::clone(&asked), key.clone());
        let keyring = Arc::new(Keyring::asking(move |path| {
            assert_eq!(path, key);
            count.fetch_add(1, Ordering::SeqCst);
            // Longer than connecting may take: that time is the person's.
            std::thread::sleep(Duration::from_millis(1500));
            answer.map(Into::into)
        }));
        let mut settings = settings.clone();
        settings.connect_timeout = Duration::from_secs(1);
        let dialers = (0..3).map(|_| Dialer::new(settings.clone(), Arc::clone(&keyring))).collect::<Vec<_>>();
        let results = join_all(dialers.iter().map(Connect::connect)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        for result in results {
            match result {
                Ok(_) => assert!(taken),
                Err(error) => assert!(!taken && refusal(&error).0.contains(&shown), "{error:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_signs() {
    let Some(sshd) = Sshd::start() else { return };
    let agent = Agent::start(&sshd);
    for kind in ["ed25519", "rsa"] {
        keygen(&sshd.path(kind), kind, "");
        std::fs::copy(sshd.path(&format!("{kind}.pub")), sshd.path("authorized_keys")).unwrap();
        agent.add(&sshd.path(kind));
        std::fs::remove_file(sshd.path(kind)).unwrap();
        let mut settings = sshd.settings();
        settings.agent = Some(agent.socket.clone());
        settings.identities = Vec::new();
        let host = connect(settings).await.unwrap();
        assert_eq!(run(&*host, "echo in").await.text(), "in\n", "{kind}");
    }
    // An agent that is gone is told, and the files are tried.
    let mut settings = sshd.settings();
    settings.agent = Some(sshd.path("no-agent"));
    let error = refused(settings).await;
    assert!(refusal(&error).0.contains("no-agent cannot be asked"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_named_key_comes_before_a_full_agent() {
    let Some(sshd) = Sshd::with("MaxAuthTries 3", &["ed25519"]) else { return };
    let agent = Agent::start(&sshd);
    for number in 0..5 {
        let key = sshd.path(&format!("agent{number}"));
        keygen(&key, "ed25519", "");
        agent.add(&key);
    }
    let mut settings = sshd.settings();
    settings.agent = Some(agent.socket.clone());
    // By its file.
    connect(settings.clone()).await.unwrap();

    // By its public half alone, with the private one as the agent's last.
    agent.add(&sshd.path("id"));
    std::fs::remove_file(sshd.path("id")).unwrap();
    connect(settings.clone()).await.unwrap();

    // Not named: the server hangs up before its turn, and that is said.
    settings.identities = vec![sshd.path("agent0")];
    let error = refused(settings).await;
    let (reason, hint) = refusal(&error);
    assert!(reason.ends_with("then the server hung up"), "{reason}");
    assert!(hint.contains("MaxAuthTries"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_enough_says_what_else() {
    let lines = "AuthenticationMethods publickey,password\nPasswordAuthentication yes\nPermitRootLogin yes";
    let Some(sshd) = Sshd::with(lines, &["ed25519"]) else { return };
    let error = refused(sshd.settings()).await;
    assert!(refusal(&error).0.contains("the server also wants password"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_did_not_wait_for_the_passphrase_is_asked_again() {
    let Some(sshd) = Sshd::with("LoginGraceTime 2", &["ed25519"]) else { return };
    keygen(&sshd.path("locked"), "ed25519", "open sesame");
    std::fs::copy(sshd.path("locked.pub"), sshd.path("authorized_keys")).unwrap();
    let settings = Settings { identities: vec![sshd.path("locked")], ..sshd.settings() };
    let keyring = Keyring::asking(|_| {
        std::thread::sleep(Duration::from_secs(6));
        Some("open sesame".into())
    });
    let host = Dialer::new(settings, Arc::new(keyring)).connect().await.unwrap();
    assert_eq!(run(&*host, "echo in").await.text(), "in\n");
}
