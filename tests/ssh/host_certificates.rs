//! Hosts' certificates: kfleet takes one where `ssh` takes it.

use std::fs;
use std::path::Path;

use kfleet::host::HostError;

use crate::certificates::sign;
use crate::host_keys::{Ssh, Verdict, kfleet_says, ssh_says};
use crate::sshd::{Sshd, keygen, public};

/// What its authority made of the host's key, by the arguments of `ssh-keygen`.
const CERTIFICATES: [(&str, &[&str]); 9] = [
    ("good", &["-h", "-n", "127.0.0.1,localhost"]),
    ("another's", &["-h", "-n", "other.example"]),
    ("a pattern's", &["-h", "-n", "127.0.*"]),
    ("in capitals", &["-h", "-n", "LOCALHOST"]),
    ("expired", &["-h", "-n", "127.0.0.1", "-V", "20200101:20200102"]),
    ("early", &["-h", "-n", "127.0.0.1", "-V", "+1d:+2d"]),
    ("a user's", &["-n", "127.0.0.1"]),
    ("nobody's", &["-h"]),
    ("critical", &["-h", "-n", "127.0.0.1", "-O", "critical:test@example.com=x"]),
];

fn sshd(ca_kind: &str, arguments: &[&str]) -> Option<Sshd> {
    let prepare = |directory: &Path| {
        keygen(&directory.join("ca"), ca_kind, "");
        sign(&directory.join("ca"), &directory.join("host_ed25519"), arguments);
    };
    Sshd::prepared("HostCertificate DIR/host_ed25519-cert.pub", &["ed25519", "rsa"], prepare)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_taken_where_ssh_takes_it() {
    let mut wrong = Vec::new();
    for (name, arguments) in CERTIFICATES {
        let Some(sshd) = sshd("ed25519", arguments) else { return };
        let (ca, own, rsa) = (public(&sshd.path("ca")), sshd.host_key("ed25519"), sshd.host_key("rsa"));
        keygen(&sshd.path("other"), "ed25519", "");
        let other = public(&sshd.path("other"));
        let at = format!("[127.0.0.1]:{}", sshd.port);
        let fit = matches!(name, "good" | "a pattern's");
        let by = |fit| if fit { Verdict::Taken } else { Verdict::Unknown };
        let mut cases = vec![
            ("its authority", format!("@cert-authority {at} {ca}"), by(fit)),
            ("its authority and its key", format!("@cert-authority {at} {ca}\n{at} {own}"), Verdict::Taken),
        ];
        if name == "good" {
            cases.extend([
                ("without the port", format!("@cert-authority 127.0.0.1 {ca}"), Verdict::Taken),
                ("for all", format!("@cert-authority * {ca}"), Verdict::Taken),
                ("for all but it", format!("@cert-authority *,!127.0.0.1,!{at} {ca}"), Verdict::Unknown),
                ("another authority", format!("@cert-authority {at} {other}"), Verdict::Unknown),
                ("another authority and its key", format!("@cert-authority {at} {other}\n{at} {own}"), Verdict::Taken),
                (
                    "of two authorities",
                    format!("@cert-authority {at} {other}\n@cert-authority {at} {ca}"),
                    Verdict::Taken,
                ),
                ("its authority and another key", format!("@cert-authority {at} {ca}\n{at} {other}"), Verdict::Taken),
                (
                    "another authority and another key",
                    format!("@cert-authority * {other}\n{at} {other}"),
                    Verdict::Changed,
                ),
                (
                    "its authority and a key of another type",
                    format!("@cert-authority {at} {ca}\n{at} {rsa}"),
                    Verdict::Taken,
                ),
                ("known by a key of another type", format!("{at} {rsa}"), Verdict::Taken),
                ("a revoked authority", format!("@cert-authority {at} {ca}\n@revoked * {ca}"), Verdict::Revoked),
                ("a revoked key", format!("@cert-authority {at} {ca}\n@revoked {at} {own}"), Verdict::Revoked),
                ("an authority that is a plain key", format!("{at} {ca}"), Verdict::Changed),
                ("an authority's own key as one", format!("@cert-authority {at} {own}"), Verdict::Unknown),
            ]);
        }
        for (what, known, expected) in cases {
            fs::write(sshd.path("known_hosts"), format!("{known}\n")).unwrap();
            let ssh = ssh_says(&Ssh::of(&sshd, "127.0.0.1"));
            let (kfleet, error) = kfleet_says(&sshd, "127.0.0.1", "127.0.0.1").await;
            // Before 10.3 OpenSSH took one without a name for every host's, and none for a pattern of names.
            let older = matches!((name, ssh), ("nobody's", Verdict::Taken) | ("a pattern's", Verdict::Unknown));
            let alike = ssh == expected || older;
            if !alike || kfleet != expected {
                wrong.push(format!("{name}, {what}: expected {expected:?}, ssh {ssh:?}, kfleet {kfleet:?}: {error:?}"));
            }
        }
        if name == "in capitals" {
            // A certificate's names are compared as they are, and what is dialled in lower case.
            fs::write(sshd.path("known_hosts"), format!("@cert-authority * {ca}\n")).unwrap();
            let ssh = ssh_says(&Ssh::of(&sshd, "LOCALHOST"));
            let (kfleet, _) = kfleet_says(&sshd, "LOCALHOST", "LOCALHOST").await;
            assert_eq!(ssh, kfleet);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_of_every_kind_are_understood() {
    for (kind, more, expected) in [
        ("ecdsa", &[][..], Verdict::Taken),
        ("rsa", &[][..], Verdict::Taken),
        ("rsa", &["-t", "rsa-sha2-256"][..], Verdict::Taken),
        ("rsa", &["-t", "ssh-rsa"][..], Verdict::Unknown),
    ] {
        let arguments = [&["-h", "-n", "127.0.0.1"], more].concat();
        let Some(sshd) = sshd(kind, &arguments) else { return };
        let ca = public(&sshd.path("ca"));
        fs::write(sshd.path("known_hosts"), format!("@cert-authority * {ca}\n")).unwrap();
        assert_eq!(ssh_says(&Ssh::of(&sshd, "127.0.0.1")), expected, "ssh, {kind} {more:?}");
        let (kfleet, error) = kfleet_says(&sshd, "127.0.0.1", "127.0.0.1").await;
        assert_eq!(kfleet, expected, "{kind} {more:?}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_refused_says_by_which_line_and_why() {
    for (arguments, words) in [
        (&["-h", "-n", "other.example"][..], "`test`, but it is for other.example"),
        (&["-h"][..], "`test`, but it is for nobody"),
        (&["-h", "-n", "127.0.0.1", "-V", "20200101:20200102"][..], "`test`, but it has expired"),
    ] {
        let Some(sshd) = sshd("ed25519", arguments) else { return };
        let file = sshd.path("known_hosts");
        fs::write(&file, format!("# ours\n@cert-authority * {}\n", public(&sshd.path("ca")))).unwrap();
        let (_, error) = kfleet_says(&sshd, "127.0.0.1", "127.0.0.1").await;
        let Some(HostError::HostKey { reason, hint }) = error else { panic!("{error:?}") };
        let line = format!("the authority of {}:2 signed its certificate {words}", file.display());
        assert!(reason.contains(&line), "{reason}");
        assert!(hint.contains("sign the host's key anew"), "{hint}");
    }
}
