//! Through a local command.

use std::fs;
use std::time::{Duration, Instant};

use kfleet::host::{Exit, HostError};
use kfleet::ssh::{Settings, Via};

use crate::sshd::{Sshd, connect, run};

fn by(sshd: &Sshd, command: &str) -> Settings {
    Settings { via: Via::Command(command.to_owned()), root: false, ..sshd.settings() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_killed_when_the_connection_ends() {
    let Some(sshd) = Sshd::start() else { return };
    let file = sshd.path("pid");
    // Its shell becomes netcat, by the `exec` before it.
    let command = format!("sh -c 'echo $$ > {}; exec busybox nc 127.0.0.1 {}'", file.display(), sshd.port);
    let host = connect(by(&sshd, &command)).await.unwrap();
    assert_eq!(run(&*host, "head -c 3000000 /dev/zero").await.stdout.len(), 3_000_000);
    let process = format!("/proc/{}", fs::read_to_string(file).unwrap().trim());
    assert!(fs::exists(&process).unwrap());
    host.close().await;
    drop(host);
    let started = Instant::now();
    while fs::read_to_string(format!("{process}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(started.elapsed() < Duration::from_secs(20), "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_is_heard() {
    let Some(sshd) = Sshd::start() else { return };
    for (command, said) in [
        ("sh -c 'echo one >&2; echo no way \x1b[31mthere >&2; exit 3'", "its ProxyCommand says: no way"),
        ("/nonexistent/command", "its ProxyCommand says: "),
        ("true", "it was reached through its ProxyCommand"),
        ("sh -c 'echo waiting >&2; sleep 30'", "no SSH handshake within 2 s; its ProxyCommand says: waiting"),
    ] {
        let settings = Settings { connect_timeout: Duration::from_secs(2), ..by(&sshd, command) };
        let started = Instant::now();
        let error = connect(settings).await.err().unwrap();
        let HostError::Unreachable { reason, .. } = &error else { panic!("{error:?}") };
        assert!(reason.contains(said), "{command}: {reason}");
        assert!(!reason.contains('\x1b'), "{reason:?}");
        assert!(started.elapsed() < Duration::from_secs(20), "{command}");
    }
}

/// Passes 300 kB of what the server says, is silent for three seconds, and passes the rest.
const STALLING: &str = r#"
import os, socket, sys, threading, time
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while (data := os.read(0, 65536)):
        server.sendall(data)
threading.Thread(target=up, daemon=True).start()
passed = 0
while (data := server.recv(16384)):
    if passed <= 300_000 < passed + len(data):
        time.sleep(3)
    passed += len(data)
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_stalls_after_the_exit_status_loses_nothing() {
    let Some(sshd) = Sshd::start() else { return };
    let program = sshd.path("stalling.py");
    std::fs::write(&program, STALLING).unwrap();
    let host = connect(by(&sshd, &format!("python3 {} {}", program.display(), sshd.port))).await.unwrap();
    // The shell has ended long before the line is through with what its child wrote.
    let ran = run(&*host, "head -c 1000000 /dev/zero & exit 3").await;
    assert_eq!((ran.stdout.len(), ran.exit), (1_000_000, Exit::Status(3)));
    host.close().await;
}
