use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::kfleet;

/// An inventory of two hosts that are not there, with a user each.
const INVENTORY: &str = "[cluster]\nname = \"lab\"\n[ssh]\nuser = \"ops\"\nport = 1\nconnect_timeout = \"2s\"\nidentities = \"locked\"\n\
    [[hosts]]\nname = \"h1\"\naddress = \"127.0.0.1\"\nrole = \"control-plane\"\n\
    [[hosts]]\nname = \"h2\"\naddress = \"127.0.0.2\"\nrole = \"worker\"\n\
    [[hosts]]\nname = \"h3\"\naddress = \"127.0.0.3\"\nrole = \"worker\"\nssh = { user = \"admin\" }\n";

#[test]
fn a_password_has_one_source() {
    for (arguments, said) in [
        (&["-k", "--ssh-password-fd", "3"][..], "'--ask-ssh-password' cannot be used with '--ssh-password-fd <N>'"),
        (&["--sudo-password-fd", "3", "--sudo-password-command", "true"], "cannot be used with"),
        (&["-K", "--sudo-password-command", "true"], "cannot be used with"),
    ] {
        let output = kfleet().arg("up").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}

#[test]
fn where_nobody_can_be_asked_the_other_ways_are_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("inventory.toml"), INVENTORY).unwrap();
    for (arguments, said) in [
        (
            &["plan", "-k"][..],
            "there is no terminal to ask on: give it by --ssh-password-fd, --ssh-password-command or $KFLEET_SSH_PASSWORD",
        ),
        (&["plan", "-K"], "give it by --sudo-password-fd, --sudo-password-command or $KFLEET_SUDO_PASSWORD"),
        (&["run", "--sudo", "-K", "--", "true"], "cannot get the password of sudo: there is no terminal"),
    ] {
        let mut setsid = Command::new("setsid");
        setsid.args(["--wait", env!("CARGO_BIN_EXE_kfleet")]).args(arguments).current_dir(directory.path());
        let output = setsid.stdin(Stdio::null()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_source_without_a_password_is_said_before_anything_is_dialled() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("inventory.toml"), INVENTORY).unwrap();
    for (arguments, said) in [
        (&["--ssh-password-command", "exit 3"][..], "cannot get the SSH password: `exit 3`: exit status: 3"),
        (&["--sudo-password-fd", "0"], "cannot get the password of sudo: file descriptor 0: there is no password"),
        (&["--ssh-password-fd", "99"], "cannot get the SSH password: file descriptor 99: "),
    ] {
        let output = kfleet().current_dir(directory.path()).arg("plan").args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}

#[test]
fn each_secret_is_asked_for_once_and_before_anything_is_shown() {
    if Command::new("script").arg("--version").output().is_err() {
        println!("left out: there is no `script` on this machine to make a terminal with");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("inventory.toml"), INVENTORY).unwrap();
    let keygen = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "open sesame", "-f"])
        .arg(directory.path().join("locked"))
        .status();
    if !keygen.is_ok_and(|made| made.success()) {
        println!("left out: there is no `ssh-keygen` on this machine");
        return;
    }
    let command = format!("{} plan -k -K", env!("CARGO_BIN_EXE_kfleet"));
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &command, "/dev/null"]).current_dir(directory.path());
    terminal.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TERM", "xterm");
    terminal.env("HOME", directory.path()).env("USER", "ops").env("SHELL", "/bin/sh");
    let mut child = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    // sudo's, two users', and a passphrase that is mistyped once; each is typed when it is asked for.
    let mut typed = ["one", "two", "three", "four", "open sesame"].into_iter();
    let (mut said, mut byte) = (Vec::new(), [0]);
    while screen.read(&mut byte).unwrap() == 1 {
        said.push(byte[0]);
        let line = said.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let asks =
            [&b"sudo password"[..], b"SSH password", b"passphrase of"].iter().any(|words| line.starts_with(words));
        if asks
            && line.ends_with(b": ")
            && let Some(answer) = typed.next()
        {
            // The terminal stops to echo a moment after the question; nobody types that fast.
            std::thread::sleep(Duration::from_millis(300));
            keyboard.write_all(format!("{answer}\n").as_bytes()).unwrap();
        }
    }
    let status = child.wait().unwrap();
    drop(keyboard);
    let said = String::from_utf8_lossy(&said);
    assert_eq!(status.code(), Some(4), "{said}");
    let places: Vec<_> = [
        "sudo password on the hosts: ",
        "SSH password of ops: ",
        "SSH password of admin: ",
        "passphrase of ",
        "passphrase of ",
        "Connection refused",
    ]
    .iter()
    .scan(0, |from, words| {
        let found = said[*from..].find(words).map(|place| place + *from);
        *from = found.unwrap_or(*from) + 1;
        Some(found)
    })
    .collect();
    assert!(places.iter().all(Option::is_some), "{places:?} in {said}");
    assert_eq!(said.matches("SSH password of ops").count(), 1, "{said}");
    assert_eq!(said.matches("passphrase of").count(), 2, "{said}");
    for secret in ["one", "two", "three", "four", "open sesame"] {
        assert!(!said.contains(&format!("{secret}\r\n")), "{secret} in {said}");
    }
}
