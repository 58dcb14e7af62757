//! Users' certificates, signed by `ssh-keygen` and taken by a real sshd that knows the authority and no key.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::agent::Agent;
use crate::login::{refusal, refused};
use crate::sshd::{Sshd, connect, keygen, run};

/// A server that lets in whom `ca` vouches for, and nobody else.
fn sshd() -> Option<Sshd> {
    let lines = "TrustedUserCAKeys DIR/ca.pub\nMaxAuthTries 3";
    let sshd = Sshd::prepared(lines, &["ed25519"], |directory| keygen(&directory.join("ca"), "ed25519", ""))?;
    std::fs::write(sshd.path("authorized_keys"), "").unwrap();
    Some(sshd)
}

/// Signs `key` by the authority `ca`; the certificate stands beside it.
pub fn sign(ca: &Path, key: &Path, arguments: &[&str]) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-s"]).arg(ca).args(["-I", "test"]).args(arguments).arg(key.with_extension("pub"));
    assert!(command.stdin(Stdio::null()).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_beside_its_key_lets_in() {
    let Some(sshd) = sshd() else { return };
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = sshd.path(kind);
        keygen(&key, kind, "");
        let mut settings = sshd.settings();
        settings.identities = vec![key.clone()];
        let error = refused(settings.clone()).await;
        assert!(refusal(&error).0.contains("was refused"), "{error}");
        sign(&sshd.path("ca"), &key, &["-n", "root"]);
        let host = connect(settings.clone()).await.unwrap();
        assert_eq!(run(&*host, "echo in").await.text(), "in\n", "{kind}");

        // By another name, as CertificateFile names it.
        let elsewhere = sshd.path(&format!("certificate-{kind}"));
        std::fs::rename(sshd.path(&format!("{kind}-cert.pub")), &elsewhere).unwrap();
        refused(settings.clone()).await;
        settings.certificates = vec![elsewhere];
        connect(settings).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_signs_for_certificates() {
    let Some(sshd) = sshd() else { return };
    for kind in ["ed25519", "rsa"] {
        let key = sshd.path(&format!("agent-{kind}"));
        keygen(&key, kind, "");
        let agent = Agent::start(&sshd);
        let mut settings = sshd.settings();
        settings.agent = Some(agent.socket.clone());
        settings.identities = Vec::new();
        // The agent holds the key alone, a file the certificate.
        agent.add(&key);
        sign(&sshd.path("ca"), &key, &["-n", "root"]);
        let certificate = sshd.path(&format!("agent-{kind}-cert.pub"));
        std::fs::remove_file(&key).unwrap();
        settings.certificates = vec![certificate.clone()];
        settings.identities_only = true;
        connect(settings.clone()).await.unwrap();
        settings.certificates.clear();
        settings.identities = vec![key.clone()];
        connect(settings.clone()).await.unwrap();
        drop(agent);

        // The agent holds both: more keys than the server has patience for, and the certificate is the last of them.
        let agent = Agent::start(&sshd);
        for number in 0..2 {
            let other = sshd.path(&format!("other-{kind}{number}"));
            keygen(&other, "ed25519", "");
            agent.add(&other);
        }
        let key = sshd.path(&format!("both-{kind}"));
        keygen(&key, kind, "");
        sign(&sshd.path("ca"), &key, &["-n", "root"]);
        agent.add(&key);
        std::fs::remove_file(sshd.path(&format!("both-{kind}-cert.pub"))).unwrap();
        std::fs::remove_file(&key).unwrap();
        let mut settings = sshd.settings();
        settings.agent = Some(agent.socket.clone());
        settings.identities = Vec::new();
        let host = connect(settings).await.unwrap();
        assert_eq!(run(&*host, "echo in").await.text(), "in\n", "{kind}");
        drop(agent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_good_enough_says_why() {
    let Some(sshd) = sshd() else { return };
    for (arguments, words) in [
        (["-n", "root", "-V", "20200101:20200102"], "was not offered: it expired "),
        (["-n", "root", "-h", ""], "was not offered: it is a host's, not a user's"),
        (["-n", "somebody", "-V", "-1h:+1h"], "-cert.pub) was refused"),
    ] {
        let key = sshd.path("key");
        keygen(&key, "ed25519", "");
        let arguments: Vec<_> = arguments.into_iter().filter(|argument| !argument.is_empty()).collect();
        sign(&sshd.path("ca"), &key, &arguments);
        let mut settings = sshd.settings();
        settings.identities = vec![key.clone()];
        let error = refused(settings).await;
        let (reason, _) = refusal(&error);
        assert!(reason.contains("the certificate of SHA256:") && reason.contains(words), "{reason}");
        // The key itself was offered too.
        assert!(reason.contains("/key) was refused"), "{reason}");
        for name in ["key", "key.pub", "key-cert.pub"] {
            std::fs::remove_file(sshd.path(name)).unwrap();
        }
    }
}
