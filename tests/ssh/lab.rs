//! Becoming root on a host of the lab, where `ops` has sudo without a password and `admin` has it with one.
//!
//! Runs where KFLEET_LAB_RUN names the directory of a lab that is up, inside the lab's network.

mod passwords;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kfleet::host::{HostError, Request, User};
use kfleet::ssh::Settings;

use crate::sshd::{Ran, connect, run, try_run};

fn lab(user: &str) -> Option<Settings> {
    let Some(directory) = std::env::var_os("KFLEET_LAB_RUN").map(PathBuf::from) else {
        println!("left out: KFLEET_LAB_RUN names no lab");
        return None;
    };
    Some(Settings {
        identities: vec![directory.join("id_ed25519")],
        agent: None,
        known_hosts: vec![directory.join("known_hosts")],
        connect_timeout: Duration::from_secs(30),
        ..Settings::to("h1", "10.88.0.11", user)
    })
}

fn password() -> String {
    let path = PathBuf::from(std::env::var_os("KFLEET_LAB_RUN").unwrap()).join("admin.password");
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

async fn as_root(host: &dyn kfleet::host::Host, script: &str) -> Ran {
    let request = Request::script(script.into(), User::Root, Duration::from_secs(60));
    try_run(host, request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_without_a_password() {
    let Some(settings) = lab("ops") else { return };
    let started = Instant::now();
    let host = connect(settings).await.unwrap();
    println!("connected in {:?}", started.elapsed());
    assert_eq!(as_root(&*host, "id -un; echo $HOME").await.text(), "root\n/root\n");
    assert_eq!(run(&*host, "id -un").await.text(), "ops\n");
    host.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_with_a_password_reads_it_and_nothing_else() {
    let Some(mut settings) = lab("admin") else { return };
    settings.sudo_password = Some(password().into());
    let host = connect(settings).await.unwrap();
    for timestamp in ["sudo -k", "true"] {
        run(&*host, timestamp).await;
        // Twice: sudo may remember the password the second time, and does not read it then.
        for _ in 0..2 {
            let ran = as_root(&*host, "id -un; cat").await;
            assert_eq!((ran.text(), ran.stderr.as_slice()), ("root\n", b"".as_slice()));
        }
    }
    // In nobody's argv: asked while it runs.
    let argv = as_root(&*host, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").await;
    assert!(String::from_utf8_lossy(&argv.stdout).contains("sudo -S"), "the commands are seen");
    assert!(!String::from_utf8_lossy(&argv.stdout).contains(&password()));
    let ran = as_root(&*host, &format!("wc -c <<'END'\n{}\nEND", "x".repeat(1 << 20))).await;
    assert_eq!(ran.text().trim(), "1048577");
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_that_refuses_says_why() {
    let Some(settings) = lab("admin") else { return };
    let error = connect(settings.clone()).await.err().unwrap();
    assert_eq!(error.to_string(), "admin cannot become root: sudo: a password is required");
    assert!(error.hint().unwrap().contains("give kfleet admin's password"));

    let wrong = Settings { sudo_password: Some("not it".into()), ..settings };
    let error = connect(wrong).await.err().unwrap();
    assert!(matches!(error, HostError::Sudo { .. }), "{error:?}");
    assert!(error.to_string().contains("incorrect password attempt"), "{error}");
    assert!(error.hint().unwrap().contains("is not admin's"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_ends_what_root_runs() {
    for user in ["ops", "admin"] {
        let Some(mut settings) = lab(user) else { return };
        settings.sudo_password = Some(password().into());
        let host = connect(settings).await.unwrap();
        // A time that no other run of this test sleeps for.
        let long = format!("1{:07}", std::process::id());
        let (script, deadline) = (format!("sleep {long} & sleep {long}").into(), Duration::from_secs(2));
        let late = try_run(&*host, Request::script(script, User::Root, deadline)).await.unwrap_err();
        assert_eq!(late, HostError::Deadline { after: deadline });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!run(&*host, &format!("pgrep -f '^sleep {long}'")).await.exit.success(), "{user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_and_talkative_bashrc_is_waited_for() {
    let (Some(root), Some(mut settings)) = (lab("ops"), lab("admin")) else { return };
    settings.sudo_password = Some(password().into());
    let root = connect(root).await.unwrap();
    let talk = "echo welcome; echo again >&2; sleep 1.5";
    let changed = as_root(&*root, &format!("cd ~admin && cp -p .bashrc kept && echo '{talk}' >.bashrc")).await;
    let started = Instant::now();
    let connected = connect(settings).await;
    let ran = match &connected {
        Ok(host) => Some(as_root(&**host, "id -un; wc -c").await),
        Err(_) => None,
    };
    let took = started.elapsed();
    as_root(&*root, "cd ~admin && mv kept .bashrc").await;
    assert!(changed.exit.success());
    connected.unwrap();
    let ran = ran.unwrap();
    assert_eq!((ran.text(), ran.stderr.as_slice()), ("welcome\nroot\n0\n", b"again\n".as_slice()));
    // Once for the login and once for the script.
    assert!(took > Duration::from_secs(3), "bash did not read it: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_shells_of_all_kinds_start_a_script() {
    let Some(mut settings) = lab("admin") else { return };
    settings.sudo_password = Some(password().into());
    let root = connect(settings.clone()).await.unwrap();
    for shell in ["/bin/bash", "/bin/dash", "/bin/rbash", "/usr/bin/fish", "/bin/tcsh", "/bin/csh", "/bin/zsh"] {
        let chosen = as_root(&*root, &format!("[ -x {shell} ] && usermod -s {shell} admin")).await;
        if !chosen.exit.success() {
            println!("left out: the lab's host has no {shell}");
            continue;
        }
        let host = connect(settings.clone()).await;
        as_root(&*root, "usermod -s /bin/bash admin").await;
        let host = match host {
            Ok(host) => host,
            // A restricted shell runs no /bin/sh, and that is said.
            Err(error) if shell == "/bin/rbash" => {
                assert!(error.to_string().contains("restricted"), "{error}");
                continue;
            }
            Err(error) => panic!("{shell}: {error}"),
        };
        assert_eq!(as_root(&*host, "id -un").await.text(), "root\n", "{shell}");
    }
}
