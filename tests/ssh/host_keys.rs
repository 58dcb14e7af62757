//! The same known_hosts, the same server: kfleet takes the key where `ssh` takes it, and refuses it where `ssh` does.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kfleet::host::HostError;

use crate::sshd::{Sshd, connect, keygen, public};

/// What `ssh` says: whether it takes the key, by a login that runs `true`.
fn ssh_takes_it(sshd: &Sshd, address: &str) -> bool {
    let known = format!("UserKnownHostsFile={}", sshd.path("known_hosts").display());
    let options = [known.as_str(), "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes", "BatchMode=yes"];
    let mut command = Command::new("ssh");
    command.args(["-F", "none", "-l", "root", "-p", &sshd.port.to_string(), "-i"]).arg(sshd.path("id"));
    command.args(options.iter().flat_map(|option| ["-o", option])).args([address, "true"]);
    command.env_remove("SSH_AUTH_SOCK").stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

async fn kfleet_takes_it(sshd: &Sshd, name: &str, address: &str) -> Result<(), HostError> {
    let mut settings = sshd.settings();
    settings.name = name.to_owned();
    settings.address = address.to_owned();
    connect(settings).await.map(|_| ())
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
    let Some(sshd) = Sshd::with("", &["ed25519", "rsa"]) else { return };
    let (ours, rsa) = (sshd.host_key("ed25519"), sshd.host_key("rsa"));
    keygen(&sshd.path("other"), "ed25519", "");
    let other = public(&sshd.path("other"));
    let at = format!("[127.0.0.1]:{}", sshd.port);
    let port = sshd.port;
    let hash = |line: &str| hashed(&sshd, line);

    let cases: Vec<(&str, String, bool)> = vec![
        ("nothing", String::new(), false),
        ("plain", format!("{at} {ours}"), true),
        ("plain, several hosts", format!("example.com,{at},other {ours}"), true),
        ("another key", format!("{at} {other}"), false),
        ("another host", format!("[127.0.0.2]:{port} {ours}"), false),
        ("another port", format!("[127.0.0.1]:1 {ours}"), false),
        ("no port, right key", format!("127.0.0.1 {ours}"), true),
        ("no port, another key", format!("127.0.0.1 {other}"), false),
        ("no port, another key, and one with", format!("127.0.0.1 {other}\n{at} {ours}"), true),
        ("with port another key, no port right key", format!("{at} {other}\n127.0.0.1 {ours}"), false),
        ("hashed", hash(&format!("{at} {ours}")), true),
        ("hashed, another key", hash(&format!("{at} {other}")), false),
        ("hashed, another host", hash(&format!("[127.0.0.2]:{port} {ours}")), false),
        ("wildcard", format!("[127.0.*]:* {ours}"), true),
        ("everything", format!("* {ours}"), true),
        ("question marks", format!("[127.0.0.?]:{port} {ours}"), true),
        ("excluded", format!("*,!127.0.0.1,!{at} {ours}"), false),
        ("excluded first", format!("!{at},!127.0.0.1,* {ours}"), false),
        ("excluded with its port only", format!("*,!{at} {ours}"), true),
        ("excluded on another line", format!("*,!{at} {ours}\n{at} {ours}"), true),
        ("another is excluded", format!("*,!other {ours}"), true),
        ("two keys, the second is right", format!("{at} {other}\n{at} {ours}"), true),
        ("two keys, the first is right", format!("{at} {ours}\n{at} {other}"), true),
        ("revoked", format!("@revoked {at} {ours}"), false),
        ("revoked and plain", format!("{at} {ours}\n@revoked {at} {ours}"), false),
        ("revoked for all and plain", format!("@revoked * {ours}\n{at} {ours}"), false),
        ("another is revoked", format!("@revoked * {other}\n{at} {ours}"), true),
        ("revoked for another host", format!("@revoked other {ours}\n{at} {ours}"), true),
        ("an authority is no host", format!("@cert-authority {at} {ours}"), false),
        ("an authority and plain", format!("@cert-authority * {other}\n{at} {ours}"), true),
        ("an unknown marker", format!("@trusted {at} {ours}"), false),
        ("known by another type only", format!("{at} {rsa}"), true),
        ("known by both types", format!("{at} {rsa}\n{at} {ours}"), true),
        ("the right type, asked for after one that differs", format!("{at} {rsa}\n{at} {other}"), false),
        ("the type lies", format!("{at} ssh-rsa {}", ours.split(' ').nth(1).unwrap()), false),
        ("tabs, blanks and a comment", format!("  \t{at}\t {ours}  me@here # and more"), true),
        ("a comment", format!("# {at} {ours}"), false),
        ("nonsense before", format!("what is this\n{at}\n\u{1}\u{2}\n{at} {ours}"), true),
        ("no line end, carriage return", format!("{at} {ours}\r"), true),
        ("cut short", format!("{at} {}", &ours[..ours.len() - 8]), false),
    ];
    let mut wrong = Vec::new();
    for (name, known, expected) in cases {
        fs::write(sshd.path("known_hosts"), format!("{known}\n")).unwrap();
        let ssh = ssh_takes_it(&sshd, "127.0.0.1");
        // `ssh` has one name for a host, so it is the inventory's too.
        let kfleet = kfleet_takes_it(&sshd, "127.0.0.1", "127.0.0.1").await;
        if let Err(error) = &kfleet {
            assert!(matches!(error, HostError::HostKey { .. }), "{name}: {error:?}");
        }
        if (ssh, kfleet.is_ok()) != (expected, expected) {
            wrong.push(format!("{name}: expected {expected}, ssh {ssh}, kfleet {kfleet:?}"));
        }
    }
    // A name is looked up as it was written, in any case of letters, and not by its address.
    for (known, address, expected) in [
        (format!("[localhost]:{port} {ours}"), "localhost", true),
        (format!("[LocalHost]:{port} {ours}"), "localhost", true),
        (format!("[localhost]:{port} {ours}"), "LOCALHOST", true),
        (hash(&format!("[localhost]:{port} {ours}")), "LocalHost", true),
        (format!("{at} {ours}"), "localhost", false),
    ] {
        fs::write(sshd.path("known_hosts"), &known).unwrap();
        let (ssh, kfleet) = (ssh_takes_it(&sshd, address), kfleet_takes_it(&sshd, address, address).await);
        if (ssh, kfleet.is_ok()) != (expected, expected) {
            wrong.push(format!("{address} by {known}: expected {expected}, ssh {ssh}, kfleet {kfleet:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
    assert_eq!(error.to_string(), format!("the host key of [127.0.0.1]:{port} is revoked by {file}:1"));
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
