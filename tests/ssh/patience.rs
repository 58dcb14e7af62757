//! ConnectTimeout, held against the real `ssh`: it is for dialling and the handshake, and not for the login.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::ssh_config::settings;
use crate::sshd::{Sshd, connect};

#[tokio::test(flavor = "multi_thread")]
async fn connect_timeout_is_that_of_ssh() {
    // Each key is looked at for so long, once before its signature and once after it.
    let slow = "AuthorizedKeysCommand /bin/sleep 1.5\nAuthorizedKeysCommandUser root";
    let Some(sshd) = Sshd::with(slow, &["ed25519"]) else { return };
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = sshd.path("ssh_config");
    for (port, timeout, expected) in [
        (sshd.port, "2", true),
        (sshd.port, "0", true),
        (sshd.port, "none", true),
        (silent.local_addr().unwrap().port(), "2", false),
    ] {
        let text = format!(
            "Host *\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  IdentityFile {}\n  IdentityAgent none\n  \
             UserKnownHostsFile {}\n  ConnectTimeout {timeout}\n  BatchMode yes\n",
            sshd.path("id").display(),
            sshd.path("known_hosts").display()
        );
        fs::write(&file, text).unwrap();
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(&file).args(["host", "true"]).stdin(Stdio::null()).stderr(Stdio::null());
        assert_eq!(ssh.status().unwrap().success(), expected, "ssh, {timeout}");

        let mut settings = settings(&file, "host");
        settings.root = false;
        let started = Instant::now();
        let error = connect(settings).await.err();
        assert_eq!(error.is_none(), expected, "{timeout}: {error:?}");
        if let Some(error) = error {
            assert!(error.to_string().contains("no SSH handshake within 2 s"), "{error}");
            assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        }
    }
}
