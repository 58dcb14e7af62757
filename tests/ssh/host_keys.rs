//! The same known_hosts, the same server: kfleet takes the key where `ssh` takes it, and refuses it where `ssh` does.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kfleet::host::HostError;
use kfleet::ssh::{Settings, UnknownHostKey, Via, unwritten_host_keys};

use crate::sshd::{Sshd, connect, keygen, public};

/// What becomes of a host key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    Unknown,
    Changed,
    Revoked,
}

/// How `ssh` is called.
pub struct Ssh<'a> {
    pub sshd: &'a Sshd,
    pub address: &'a str,
    pub options: Vec<String>,
}

impl<'a> Ssh<'a> {
    pub fn of(sshd: &'a Sshd, address: &'a str) -> Self {
        Self { sshd, address, options: Vec::new() }
    }
}

/// What `ssh` says, by a login that runs `true`.
pub fn ssh_says(ssh: &Ssh) -> Verdict {
    let Ssh { sshd, address, options: more } = ssh;
    let known = format!("UserKnownHostsFile={}", sshd.path("known_hosts").display());
    let options = [
        known.as_str(),
        "GlobalKnownHostsFile=/dev/null",
        "BatchMode=yes",
        "UpdateHostKeys=no",
        "KexAlgorithms=curve25519-sha256",
    ];
    let mut command = Command::new("ssh");
    command.args(["-F", "none", "-l", "root", "-p", &sshd.port.to_string(), "-i"]).arg(sshd.path("id"));
    command.args(more.iter().map(String::as_str).chain(options).flat_map(|option| ["-o", option]));
    command.args(["-o", "StrictHostKeyChecking=yes", address, "true"]);
    let output = command.env_remove("SSH_AUTH_SOCK").stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let has = |words: &str| said.contains(words);
    match output.status.success() {
        true => Verdict::Taken,
        false if has("REVOKED HOST KEY DETECTED") || has("is marked as revoked") || has("revoked by file") => {
            Verdict::Revoked
        }
        false if has("REMOTE HOST IDENTIFICATION HAS CHANGED") => Verdict::Changed,
        false if has("host key is known for") => Verdict::Unknown,
        false => panic!("ssh says: {said}"),
    }
}

/// What kfleet says, and in which words.
pub async fn kfleet_says(sshd: &Sshd, name: &str, address: &str) -> (Verdict, Option<HostError>) {
    let settings = Settings { name: name.to_owned(), address: address.to_owned(), root: false, ..sshd.settings() };
    said(connect(settings).await.map(|_| ()))
}

fn said(connected: Result<(), HostError>) -> (Verdict, Option<HostError>) {
    let Err(error) = connected else { return (Verdict::Taken, None) };
    let HostError::HostKey { reason, .. } = &error else { panic!("{error:?}") };
    let verdict = match reason {
        reason if reason.contains(" is revoked by ") => Verdict::Revoked,
        reason if reason.contains(" has changed: ") => Verdict::Changed,
        reason if reason.contains(" is not known: ") => Verdict::Unknown,
        reason => panic!("{reason}"),
    };
    (verdict, Some(error))
}

async fn kfleet_takes_it(sshd: &Sshd, name: &str, address: &str) -> Result<(), HostError> {
    kfleet_says(sshd, name, address).await.1.map_or(Ok(()), Err)
}

fn hashed(sshd: &Sshd, line: &str) -> String {
    let path = sshd.path("to_hash");
    fs::write(&path, format!("{line}\n")).unwrap();
    let mut hashing = Command::new("ssh-keygen");
    hashing.arg("-H").arg("-f").arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(hashing.status().unwrap().success());
    fs::read_to_string(path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_is_that_of_ssh() {
    let Some(sshd) = Sshd::with("ListenAddress ::1", &["ed25519", "rsa"]) else { return };
    let (ours, rsa) = (sshd.host_key("ed25519"), sshd.host_key("rsa"));
    keygen(&sshd.path("other"), "ed25519", "");
    let other = public(&sshd.path("other"));
    let at = format!("[127.0.0.1]:{}", sshd.port);
    let port = sshd.port;
    let hash = |line: &str| hashed(&sshd, line);

    use Verdict::{Changed, Revoked, Taken, Unknown};
    let cases: Vec<(&str, String, Verdict)> = vec![
        ("nothing", String::new(), Unknown),
        ("plain", format!("{at} {ours}"), Taken),
        ("plain, several hosts", format!("example.com,{at},other {ours}"), Taken),
        ("another key", format!("{at} {other}"), Changed),
        ("another host", format!("[127.0.0.2]:{port} {ours}"), Unknown),
        ("another port", format!("[127.0.0.1]:1 {ours}"), Unknown),
        ("no port, right key", format!("127.0.0.1 {ours}"), Taken),
        ("no port, another key", format!("127.0.0.1 {other}"), Unknown),
        ("no port, another key, and one with", format!("127.0.0.1 {other}\n{at} {ours}"), Taken),
        ("with port another key, no port right key", format!("{at} {other}\n127.0.0.1 {ours}"), Changed),
        ("hashed", hash(&format!("{at} {ours}")), Taken),
        ("hashed, another key", hash(&format!("{at} {other}")), Changed),
        ("hashed, another host", hash(&format!("[127.0.0.2]:{port} {ours}")), Unknown),
        ("wildcard", format!("[127.0.*]:* {ours}"), Taken),
        ("everything", format!("* {ours}"), Taken),
        ("question marks", format!("[127.0.0.?]:{port} {ours}"), Taken),
        ("excluded", format!("*,!127.0.0.1,!{at} {ours}"), Unknown),
        ("excluded first", format!("!{at},!127.0.0.1,* {ours}"), Unknown),
        ("excluded with its port only", format!("*,!{at} {ours}"), Taken),
        ("excluded on another line", format!("*,!{at} {ours}\n{at} {ours}"), Taken),
        ("another is excluded", format!("*,!other {ours}"), Taken),
        ("two keys, the second is right", format!("{at} {other}\n{at} {ours}"), Taken),
        ("two keys, the first is right", format!("{at} {ours}\n{at} {other}"), Taken),
        ("revoked", format!("@revoked {at} {ours}"), Revoked),
        ("revoked and plain", format!("{at} {ours}\n@revoked {at} {ours}"), Revoked),
        ("revoked for all and plain", format!("@revoked * {ours}\n{at} {ours}"), Revoked),
        ("another is revoked", format!("@revoked * {other}\n{at} {ours}"), Taken),
        ("revoked for another host", format!("@revoked other {ours}\n{at} {ours}"), Taken),
        ("an authority is no host", format!("@cert-authority {at} {ours}"), Unknown),
        ("an authority and plain", format!("@cert-authority * {other}\n{at} {ours}"), Taken),
        ("an unknown marker", format!("@trusted {at} {ours}"), Unknown),
        ("known by another type only", format!("{at} {rsa}"), Taken),
        ("known by both types", format!("{at} {rsa}\n{at} {ours}"), Taken),
        ("the right type, asked for after one that differs", format!("{at} {rsa}\n{at} {other}"), Changed),
        ("the type lies", format!("{at} ssh-rsa {}", ours.split(' ').nth(1).unwrap()), Unknown),
        ("tabs, blanks and a comment", format!("  \t{at}\t {ours}  me@here # and more"), Taken),
        ("a comment", format!("# {at} {ours}"), Unknown),
        ("nonsense before", format!("what is this\n{at}\n\u{1}\u{2}\n{at} {ours}"), Taken),
        ("no line end, carriage return", format!("{at} {ours}\r"), Taken),
        ("cut short", format!("{at} {}", &ours[..ours.len() - 8]), Unknown),
    ];
    let mut wrong = Vec::new();
    for (name, known, expected) in cases {
        fs::write(sshd.path("known_hosts"), format!("{known}\n")).unwrap();
        let ssh = ssh_says(&Ssh::of(&sshd, "127.0.0.1"));
        // `ssh` has one name for a host, so it is the inventory's too.
        let (kfleet, error) = kfleet_says(&sshd, "127.0.0.1", "127.0.0.1").await;
        if (ssh, kfleet) != (expected, expected) {
            wrong.push(format!("{name}: expected {expected:?}, ssh {ssh:?}, kfleet {kfleet:?}: {error:?}"));
        }
    }
    // A name is looked up as it was written, in any case of letters, and not by its address.
    for (known, address, expected) in [
        (format!("[localhost]:{port} {ours}"), "localhost", Taken),
        (format!("[LocalHost]:{port} {ours}"), "localhost", Taken),
        (format!("[localhost]:{port} {ours}"), "LOCALHOST", Taken),
        (hash(&format!("[localhost]:{port} {ours}")), "LocalHost", Taken),
        (format!("{at} {ours}"), "localhost", Unknown),
        (format!("[::1]:{port} {ours}"), "::1", Taken),
        (format!("[::1]:{port} {other}"), "::1", Changed),
        (format!("::1 {ours}"), "::1", Taken),
        (hash(&format!("[::1]:{port} {ours}")), "::1", Taken),
        (format!("[::*]:{port} {ours}"), "::1", Taken),
    ] {
        fs::write(sshd.path("known_hosts"), &known).unwrap();
        let ssh = ssh_says(&Ssh::of(&sshd, address));
        let (kfleet, error) = kfleet_says(&sshd, address, address).await;
        if (ssh, kfleet) != (expected, expected) {
            wrong.push(format!(
                "{address} by {known}: expected {expected:?}, ssh {ssh:?}, kfleet {kfleet:?}: {error:?}"
            ));
        }
    }
    // An alias stands for host and port.
    for (known, expected) in [
        (format!("other-name {ours}"), Taken),
        (format!("Other-Name {ours}"), Taken),
        (format!("other-name {other}"), Changed),
        (format!("[other-name]:{port} {ours}"), Unknown),
        (format!("{at} {ours}"), Unknown),
        (format!("other-name {ours}\n@revoked other-name {ours}"), Revoked),
    ] {
        fs::write(sshd.path("known_hosts"), format!("{known}\n")).unwrap();
        let alias = vec!["HostKeyAlias=other-name".to_owned()];
        let ssh = ssh_says(&Ssh { options: alias, ..Ssh::of(&sshd, "127.0.0.1") });
        let settings = Settings { host_key_alias: Some("other-name".to_owned()), root: false, ..sshd.settings() };
        let (kfleet, error) = said(connect(settings).await.map(|_| ()));
        if (ssh, kfleet) != (expected, expected) {
            wrong.push(format!("alias by {known}: expected {expected:?}, ssh {ssh:?}, kfleet {kfleet:?}: {error:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_revoked_keys_comes_first() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.path("other"), "ed25519", "");
    let (ours, other) = (sshd.host_key("ed25519"), public(&sshd.path("other")));
    let krl = |name: &str| {
        let mut making = Command::new("ssh-keygen");
        making.args(["-q", "-k", "-f"]).arg(sshd.path("krl")).arg(sshd.path(name));
        assert!(making.status().unwrap().success());
        fs::read(sshd.path("krl")).unwrap()
    };
    use Verdict::{Revoked, Taken};
    let known = format!("[127.0.0.1]:{} {ours}\n", sshd.port);
    for (name, revoked, known, expected) in [
        ("a list", format!("# a comment\n{other}\n{ours} me@here\n").into_bytes(), &known, Revoked),
        ("a list, and nothing is known", ours.clone().into_bytes(), &String::new(), Revoked),
        ("a list of others", other.into_bytes(), &known, Taken),
        ("an empty list", Vec::new(), &known, Taken),
        ("a revocation list", krl("host_ed25519.pub"), &known, Revoked),
        ("a revocation list of others", krl("other.pub"), &known, Taken),
    ] {
        fs::write(sshd.path("known_hosts"), known).unwrap();
        fs::write(sshd.path("revoked"), revoked).unwrap();
        let file = sshd.path("revoked");
        let options = vec![format!("RevokedHostKeys={}", file.display())];
        assert_eq!(ssh_says(&Ssh { options, ..Ssh::of(&sshd, "127.0.0.1") }), expected, "ssh, {name}");
        let settings =
            Settings { revoked_host_keys: Some(file), unknown_host_key: UnknownHostKey::Write, ..sshd.settings() };
        let (kfleet, error) = said(connect(settings).await.map(|_| ()));
        assert_eq!(kfleet, expected, "{name}: {error:?}");
        assert_eq!(fs::read_to_string(sshd.path("known_hosts")).unwrap(), *known, "{name}");
    }
    // What cannot be read may have it.
    for broken in ["nowhere", "cut-short"] {
        fs::write(sshd.path("cut-short"), &krl("other.pub")[..20]).unwrap();
        let settings = Settings { revoked_host_keys: Some(sshd.path(broken)), ..sshd.settings() };
        let error = connect(settings).await.err().unwrap().to_string();
        assert!(error.contains("cannot tell whether the host key of"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inventory_name_counts_where_the_address_is_unknown() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.path("other"), "ed25519", "");
    let (ours, other) = (sshd.host_key("ed25519"), public(&sshd.path("other")));
    let port = sshd.port;
    for (known, taken) in [
        (format!("[one]:{port} {ours}"), true),
        (format!("one {ours}"), true),
        (format!("[one]:{port} {other}"), false),
        // Some other `one` of long ago.
        (format!("[one]:{port} {other}\n[127.0.0.1]:{port} {ours}"), true),
        (format!("[one]:{port} {ours}\n[127.0.0.1]:{port} {other}"), false),
        (format!("@revoked one {ours}\n[127.0.0.1]:{port} {ours}"), false),
    ] {
        fs::write(sshd.path("known_hosts"), &known).unwrap();
        assert_eq!(kfleet_takes_it(&sshd, "one", "127.0.0.1").await.is_ok(), taken, "{known}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_compare_and_where() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.path("other"), "ed25519", "");
    let (ours, other) = (sshd.host_key("ed25519"), public(&sshd.path("other")));
    let (port, file) = (sshd.port, sshd.path("known_hosts").display().to_string());
    let fingerprint = |name: &str| {
        let output = Command::new("ssh-keygen").arg("-lf").arg(sshd.path(name)).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split(' ').nth(1).unwrap().to_owned()
    };
    let (here, there) = (fingerprint("host_ed25519.pub"), fingerprint("other.pub"));

    fs::write(&file, "").unwrap();
    let error = kfleet_takes_it(&sshd, "one", "127.0.0.1").await.unwrap_err();
    assert_eq!(error.to_string(), format!("the host key of [127.0.0.1]:{port} is not known: ssh-ed25519 {here}"));
    let hint = error.hint().unwrap();
    assert!(hint.contains(&format!("`ssh-keyscan -t ed25519 -p {port} 127.0.0.1 >> {file}`")), "{hint}");

    // Of several keys the one of the same kind is what can be compared.
    keygen(&sshd.path("ecdsa"), "ecdsa", "");
    let ecdsa = public(&sshd.path("ecdsa"));
    fs::write(&file, format!("# mine\n[127.0.0.1]:{port} {ecdsa}\n[127.0.0.1]:{port} {other}\n")).unwrap();
    let error = kfleet_takes_it(&sshd, "one", "127.0.0.1").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the host key of [127.0.0.1]:{port} has changed: {file}:3 has ssh-ed25519 {there}, the server has \
             ssh-ed25519 {here}"
        )
    );
    assert!(error.hint().unwrap().contains(&format!("`ssh-keygen -R '[127.0.0.1]:{port}' -f {file}`")));

    fs::write(&file, format!("@revoked * {ours}\n")).unwrap();
    let error = kfleet_takes_it(&sshd, "one", "127.0.0.1").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the host key of [127.0.0.1]:{port} is revoked by {file}:1: ssh-ed25519 {here}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_no_empty_one() {
    let Some(sshd) = Sshd::start() else { return };
    let mut settings = sshd.settings();
    // root reads everything, but not a directory.
    settings.known_hosts.push(sshd.directory.path().to_owned());
    let error = connect(settings.clone()).await.err().unwrap();
    assert!(error.to_string().starts_with("cannot read "), "{error}");
    // One that is not there says nothing.
    settings.known_hosts[1] = PathBuf::from("/nonexistent/known_hosts");
    connect(settings).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_written_where_that_is_wanted() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.path("other"), "ed25519", "");
    let (ours, other, port) = (sshd.host_key("ed25519"), public(&sshd.path("other")), sshd.port);
    let file = sshd.path("new/known_hosts");
    let settings = Settings {
        unknown_host_key: UnknownHostKey::Write,
        known_hosts: vec![file.clone(), sshd.path("more")],
        ..sshd.settings()
    };
    // By many at once, written once.
    for result in futures::future::join_all((0..8).map(|_| connect(settings.clone()))).await {
        result.unwrap();
    }
    let line = format!("[127.0.0.1]:{port} {ours}\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), line);
    // As `ssh` would have: it takes the file for its own.
    fs::copy(&file, sshd.path("known_hosts")).unwrap();
    assert_eq!(ssh_says(&Ssh::of(&sshd, "127.0.0.1")), Verdict::Taken);

    // Something else is known: that is no new key.
    for (known, verdict) in [
        (format!("[127.0.0.1]:{port} {other}\n"), Verdict::Changed),
        (format!("@revoked * {ours}\n"), Verdict::Revoked),
    ] {
        fs::write(&file, &known).unwrap();
        assert_eq!(said(connect(settings.clone()).await.map(|_| ())).0, verdict);
        assert_eq!(fs::read_to_string(&file).unwrap(), known);
    }
    // Known by another file, nothing is written.
    fs::write(&file, "").unwrap();
    fs::write(sshd.path("more"), &line).unwrap();
    connect(settings.clone()).await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
    // By its alias, which has no port; and where nothing is kept.
    let alias = Settings { host_key_alias: Some("Alias".to_owned()), ..settings.clone() };
    connect(alias).await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("alias {ours}\n"));
    connect(Settings { known_hosts: vec![PathBuf::from("/dev/null")], ..settings.clone() }).await.unwrap();
    // By a hash of its name; kfleet and `ssh` take the file for their own.
    fs::remove_file(&file).unwrap();
    let hashed = Settings { hash_known_hosts: true, known_hosts: vec![file.clone()], ..settings.clone() };
    for _ in 0..2 {
        connect(hashed.clone()).await.unwrap();
    }
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!((written.lines().count(), written.contains("127.0.0.1")), (1, false), "{written}");
    fs::copy(&file, sshd.path("known_hosts")).unwrap();
    assert_eq!(ssh_says(&Ssh::of(&sshd, "127.0.0.1")), Verdict::Taken);
    // A file that cannot be written keeps nobody out, as it does not with `ssh`; but what shows another key then is no new host.
    let nowhere = PathBuf::from("/proc/no/known_hosts");
    let settings = Settings { known_hosts: vec![nowhere.clone()], ..settings };
    for _ in 0..2 {
        connect(settings.clone()).await.unwrap();
    }
    let taken: Vec<String> = unwritten_host_keys().into_iter().filter(|line| line.contains("/proc/no/")).collect();
    assert_eq!(taken.len(), 1, "{taken:?}");
    let start = format!("the new host key of [127.0.0.1]:{port} was taken, but not written to /proc/no/known_hosts: ");
    assert!(taken[0].starts_with(&start), "{taken:?}");
    let Some(another) = Sshd::start() else { return };
    let via = Via::Command(format!("busybox nc 127.0.0.1 {}", another.port));
    let error = connect(Settings { via, identities: vec![another.path("id")], ..settings }).await.err().unwrap();
    assert!(error.to_string().contains("is another than before"), "{error}");
}
