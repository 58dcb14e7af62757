//! What is started on this machine for a host.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::stage::{Call, Stage, has_rsync};

const F: [&str; 2] = ["-x", "-F {F}"];

#[test]
fn passwords_are_kfleets_alone() {
    let Some(stage) = Stage::set() else { return };
    let dir = stage.sshd.directory.path().display().to_string();
    let config = fs::read_to_string(stage.sshd.path("ssh_config")).unwrap();
    let config = format!(
        "Match exec \"env > {dir}/asked\"\nHost one\nProxyCommand sh -c 'env > {dir}/proxy; exec busybox nc %h %p'\n{config}"
    );
    fs::write(stage.sshd.path("ssh_config"), config).unwrap();
    let environment = ["SSH_PASSWORD", "SUDO_PASSWORD", "CA_PASSPHRASE", "OTHER"].map(|name| format!("KFLEET_{name}"));
    let environment: Vec<(&str, &str)> = environment.iter().map(|name| (name.as_str(), "hunter2")).collect();
    let rsync = ["-S", "-F {F}", "-H", "one", "{here}/file", "{here}/new"];
    for (program, arguments) in [("pssh", &[&F[..], &["-H", "one", "true"]].concat()[..]), ("prsync", &rsync)] {
        if program == "prsync" && !has_rsync() {
            continue;
        }
        let ran = stage.kfleet(Call { environment: &environment, ..Call::new(program, arguments) });
        assert_eq!(ran.status, Some(0), "{ran:?}");
        for file in ["asked", "proxy"] {
            let told = fs::read_to_string(stage.sshd.path(file)).unwrap();
            let secret: Vec<&str> = told.lines().filter(|line| line.contains("hunter2")).collect();
            assert_eq!(secret, ["KFLEET_OTHER=hunter2"], "{program}: {file}");
            fs::remove_file(stage.sshd.path(file)).unwrap();
        }
    }
}

#[test]
fn nothing_is_left_of_a_host_whose_time_is_over() {
    let Some(stage) = Stage::set() else { return };
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let proxy = format!("ProxyCommand=sh -c 'sleep 555.{port}; true'");
    let host = format!("127.0.0.1:{port}");
    let calls = [
        ("prsync", "rsync ", [&["-S", "-F {F}"][..], &["-H", &host, "{here}/file", "{here}/new"]].concat()),
        ("pssh", "sleep ", [&F[..], &["-O", &proxy, "-H", "one", "true"]].concat()),
    ];
    for (program, starts, arguments) in calls {
        if program == "prsync" && !has_rsync() {
            continue;
        }
        let ran = stage.kfleet(Call::new(program, &[&["-t", "1"], &arguments[..]].concat()));
        assert_eq!(ran.status, Some(3), "{ran:?}");
        are_gone(&port);

        let filled = arguments.iter().map(|text| text.replace("{F}", stage.sshd.path("ssh_config").to_str().unwrap()));
        let mut child =
            Command::new(stage.link(program)).args(filled).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while !running(&port).iter().any(|line| line.starts_with(starts)) {
            assert!(began.elapsed() < Duration::from_secs(20), "{program} starts nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert_eq!(child.wait().unwrap().code(), Some(3), "{program}");
        are_gone(&port);
    }
}

/// What was killed may take a moment to be gone.
#[track_caller]
fn are_gone(port: &str) {
    let began = Instant::now();
    while !running(port).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(5), "still there: {:?}", running(port));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The command lines that have this port.
fn running(port: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(port)).collect()
}
