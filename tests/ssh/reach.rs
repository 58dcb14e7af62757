use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use futures::future::join_all;
use kfleet::host::HostError;

use crate::sshd::{Sshd, connect, free_port, run};

/// A server that does `answer` with each connection.
fn server(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().flatten().for_each(&answer));
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_speak_ssh_is_unreachable_in_time() {
    let Some(sshd) = Sshd::start() else { return };
    let (ended, end) = std::sync::mpsc::channel();
    let silent = server(move |mut stream| {
        let ended = ended.clone();
        thread::spawn(move || {
            let mut sent = Vec::new();
            let _ = stream.read_to_end(&mut sent);
            let _ = ended.send(());
        });
    });
    // It greets like sshd and then says nothing: russh drives this handshake in a task of its own.
    let (ended_later, end_later) = std::sync::mpsc::channel();
    let greets = server(move |mut stream| {
        let ended = ended_later.clone();
        thread::spawn(move || {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
            let mut sent = Vec::new();
            let _ = stream.read_to_end(&mut sent);
            let _ = ended.send(());
        });
    });
    let garbage = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        thread::spawn(move || {
            let _ = stream.read_to_end(&mut Vec::new());
        });
    });
    let hangs_up = server(drop);
    let in_time = "it took the connection, but there was no SSH handshake within 2 s";
    for (port, reason) in [
        (silent, in_time),
        (greets, in_time),
        (garbage, ""),
        (hangs_up, ""),
        (free_port(), "Connection refused (os error 111)"),
    ] {
        let mut settings = sshd.settings();
        settings.port = port;
        settings.connect_timeout = Duration::from_secs(2);
        let started = Instant::now();
        let error = connect(settings).await.err().unwrap();
        assert!(started.elapsed() < Duration::from_secs(20), "{error}");
        let HostError::Unreachable { address, reason: said } = &error else { panic!("{error:?}") };
        assert_eq!(*address, format!("127.0.0.1:{port}"));
        assert!(said.contains(reason), "{said}");
    }
    // What was given up is hung up, not leaked.
    end.recv_timeout(Duration::from_secs(1)).unwrap();
    end_later.recv_timeout(Duration::from_secs(1)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_that_is_dropped_hangs_up() {
    let Some(sshd) = Sshd::start() else { return };
    let (ended, end) = std::sync::mpsc::channel();
    let mut settings = sshd.settings();
    settings.port = server(move |mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    let _ = tokio::time::timeout(Duration::from_millis(300), connect(settings)).await;
    end.recv_timeout(Duration::from_secs(1)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_an_address_says_so() {
    let Some(sshd) = Sshd::start() else { return };
    let mut settings = sshd.settings();
    // Reserved never to exist, and refused without asking anybody.
    settings.address = "no such host".to_owned();
    let error = connect(settings).await.err().unwrap();
    assert!(matches!(&error, HostError::Resolve { address, .. } if address == "no such host"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_connect_at_once() {
    let Some(sshd) = Sshd::with("MaxStartups 200", &["ed25519"]) else { return };
    let hosts = join_all((0..100).map(|_| sshd.connect())).await;
    let answers = join_all(hosts.iter().map(|host| run(&**host, "echo here"))).await;
    assert!(answers.iter().all(|ran| ran.text() == "here\n"));
    join_all(hosts.iter().map(|host| host.close())).await;
}
