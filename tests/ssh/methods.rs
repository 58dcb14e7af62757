//! Which ways to log in are tried, and in which order: what the server saw of kfleet and of `ssh` with the same ssh_config.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::login::refusal;
use crate::ssh_config::{config, wanted};
use crate::sshd::{Sshd, connect, keygen};

/// The ways that failed since the log had `before` lines, in their order.
fn tried(sshd: &Sshd, before: usize) -> Vec<String> {
    let log = fs::read_to_string(sshd.path("log")).unwrap();
    let failed = log.lines().skip(before).filter_map(|line| line.strip_prefix("Failed ")?.split(' ').next());
    failed.filter(|method| *method != "none").map(str::to_owned).collect()
}

fn lines(sshd: &Sshd) -> usize {
    fs::read_to_string(sshd.path("log")).unwrap().lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ssh_config_forbids_is_not_tried() {
    let takes = "LogLevel VERBOSE\nPasswordAuthentication yes\nKbdInteractiveAuthentication yes\nPermitRootLogin yes";
    let Some(sshd) = Sshd::with(takes, &["ed25519"]) else { return };
    keygen(&sshd.path("stranger"), "ed25519", "");
    fs::write(sshd.path("askpass"), "#!/bin/sh\necho not it\n").unwrap();
    fs::set_permissions(sshd.path("askpass"), fs::Permissions::from_mode(0o755)).unwrap();
    let usual = format!(
        "Host *\n  HostName 127.0.0.1\n  Port {}\n  User root\n  IdentityFile {}\n  IdentityAgent none\n  \
         UserKnownHostsFile {}\n  NumberOfPasswordPrompts 1\n",
        sshd.port,
        sshd.path("stranger").display(),
        sshd.path("known_hosts").display()
    );
    let file = sshd.path("ssh_config");
    for (text, options, expected, forbidden) in [
        ("", &[][..], &["publickey", "password"][..], None),
        ("PasswordAuthentication no", &[], &["publickey"], Some("password")),
        (
            "PasswordAuthentication no\n  KbdInteractiveAuthentication no",
            &[],
            &["publickey"],
            Some("keyboard-interactive, password"),
        ),
        ("PubkeyAuthentication no", &[], &["password"], Some("publickey")),
        ("PreferredAuthentications publickey", &[], &["publickey"], Some("keyboard-interactive, password")),
        ("PreferredAuthentications password", &[], &["password"], Some("publickey, keyboard-interactive")),
        ("PreferredAuthentications password,publickey", &[], &["password", "publickey"], Some("keyboard-interactive")),
        (
            "PreferredAuthentications password,publickey\n  PubkeyAuthentication no",
            &[],
            &["password"],
            Some("publickey, keyboard-interactive"),
        ),
        ("PreferredAuthentications hostbased", &[], &[], Some("publickey, keyboard-interactive, password")),
        ("", &["PasswordAuthentication=no"], &["publickey"], Some("password")),
        (
            "PreferredAuthentications password",
            &["PreferredAuthentications=publickey"],
            &["publickey"],
            Some("keyboard-interactive, password"),
        ),
    ] {
        fs::write(&file, format!("Host *\n  {text}\n{usual}")).unwrap();
        let before = lines(&sshd);
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(&file).args(options.iter().flat_map(|option| ["-o", option])).args(["host", "true"]);
        ssh.env("SSH_ASKPASS", sshd.path("askpass")).env("SSH_ASKPASS_REQUIRE", "force");
        assert!(!ssh.stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        let by_ssh = tried(&sshd, before);

        let before = lines(&sshd);
        let mut settings = config(&file, options).resolve(&[wanted("host")]).unwrap().settings.remove(0);
        settings.password = Some("not it".into());
        let error = connect(settings).await.err().unwrap();
        assert_eq!(by_ssh, expected, "{text} {options:?}: ssh");
        assert_eq!(tried(&sshd, before), expected, "{text} {options:?}: {error}");
        let said = refusal(&error).0.split_once("; ssh_config does not allow ").map(|(_, methods)| methods);
        assert_eq!(said, forbidden, "{error}");
    }
}
