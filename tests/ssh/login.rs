use std::sync::Arc;

use futures::future::join_all;
use kfleet::host::{Connect, HostError};
use kfleet::ssh::{Dialer, Keyring, Method, Settings};

use crate::agent::Agent;
use crate::sshd::{Sshd, connect, keygen, run};

pub fn refusal(error: &HostError) -> (&str, &str) {
    match error {
        HostError::Authentication { reason, hint, .. } => (reason, hint),
        other => panic!("{other:?}"),
    }
}

pub async fn refused(settings: Settings) -> HostError {
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
    assert!(reason.starts_with(&format!("{missing} was not offered: there is no such file; SHA256:")), "{reason}");
    assert!(reason.ends_with("/wrong) was refused; the server still takes publickey"), "{reason}");
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

    // What is mistyped is asked for again, as often as `ssh` does; an empty answer is a no.
    for (answers, calls, problem) in [
        (vec!["open sesame"], 1, None),
        (vec!["wrong", "open sesame"], 2, None),
        (vec!["wrong", "worse", "worst", "open sesame"], 3, Some("the passphrase is wrong")),
        (vec![""], 1, Some("it has a passphrase, and none was given")),
    ] {
        let keyring = Arc::new(Keyring::new());
        let mut asked = Vec::new();
        let mut answers = answers.into_iter();
        keyring.unlock(&vec![settings.clone(); 3], |path| {
            asked.push(path.to_owned());
            answers.next().map(Into::into)
        });
        assert_eq!(asked, vec![key.clone(); calls]);
        let dialers = (0..3).map(|_| Dialer::new(settings.clone(), Arc::clone(&keyring))).collect::<Vec<_>>();
        for result in join_all(dialers.iter().map(Connect::connect)).await {
            match (result, problem) {
                (Ok(_), None) => {}
                (Err(error), Some(problem)) => {
                    assert!(refusal(&error).0.contains(&format!("{shown} was not offered: {problem}")), "{error:?}");
                }
                (result, _) => panic!("{:?}", result.err()),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_for_a_passphrase_that_is_not_needed() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.path("locked"), "ed25519", "open sesame");
    let asks = |settings: &Settings| {
        let mut asked = 0;
        Keyring::new().unlock(std::slice::from_ref(settings), |_| {
            asked += 1;
            None
        });
        asked
    };
    let mut settings = Settings { identities: vec![sshd.path("id"), sshd.path("locked")], ..sshd.settings() };
    assert_eq!(asks(&settings), 1);
    assert_eq!(asks(&Settings { methods: vec![Method::Password], ..settings.clone() }), 0);
    let agent = Agent::start(&sshd);
    settings.agent = Some(agent.socket.clone());
    assert_eq!(asks(&settings), 1);
    // Once the agent holds it. `ssh-add` has no terminal here, so what it is given is the same key without its passphrase.
    std::fs::copy(sshd.path("locked"), sshd.path("open")).unwrap();
    let mut change = std::process::Command::new("ssh-keygen");
    change.args(["-q", "-p", "-P", "open sesame", "-N", "", "-f"]).arg(sshd.path("open"));
    assert!(change.status().unwrap().success());
    agent.add(&sshd.path("open"));
    assert_eq!(asks(&settings), 0);
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

/// As 1Password, gpg-agent and hardware keys are set up: the file has the public half, and only the agent has the private one.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_names_the_agents_key() {
    let Some(sshd) = Sshd::start() else { return };
    let agent = Agent::start(&sshd);
    let public = sshd.path("token.pub");
    std::fs::rename(sshd.path("id.pub"), &public).unwrap();
    let mut settings = sshd.settings();
    settings.agent = Some(agent.socket.clone());
    (settings.identities, settings.identities_only) = (vec![public.clone()], true);
    let error = refused(settings.clone()).await;
    let expected =
        format!("{} was not offered: it is a public key, and no agent has the private one", public.display());
    assert!(refusal(&error).0.starts_with(&expected), "{error}");
    agent.add(&sshd.path("id"));
    std::fs::remove_file(sshd.path("id")).unwrap();
    for kind in ["stranger1", "stranger2"] {
        keygen(&sshd.path(kind), "ed25519", "");
        agent.add(&sshd.path(kind));
    }
    let host = connect(settings).await.unwrap();
    assert_eq!(run(&*host, "echo in").await.text(), "in\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_named_key_comes_before_a_full_agent() {
    let Some(sshd) = Sshd::with("MaxAuthTries 3", &["ed25519"]) else { return };
    let agent = Agent::start(&sshd);
    for number in 0..8 {
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
