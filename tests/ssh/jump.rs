//! Through jump hosts.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use kfleet::host::{Connect, Host, HostError};
use kfleet::ssh::{Dialer, Hops, Keyring, Settings, Via};
use tempfile::TempDir;

use crate::ssh_config::{config, wanted};
use crate::sshd::{Sshd, connect, free_port, kill, run, script, try_run};

/// `host` as it is reached through these.
fn through(jumps: &[&Sshd], host: &Sshd) -> Settings {
    let jumps = jumps.iter().map(|jump| Settings { name: "bastion".to_owned(), ..jump.settings() }).collect();
    Settings { via: Via::Jumps(jumps), root: false, connect_timeout: Duration::from_secs(120), ..host.settings() }
}

fn dialers(all: impl IntoIterator<Item = Settings>) -> Vec<Dialer> {
    let (keyring, hops) = (Arc::new(Keyring::new()), Arc::new(Hops::default()));
    all.into_iter().map(|settings| Dialer::sharing(settings, Arc::clone(&keyring), Arc::clone(&hops))).collect()
}

async fn all(dialers: &[Dialer]) -> Vec<Result<Arc<dyn Host>, HostError>> {
    join_all(dialers.iter().map(|dialer| dialer.connect())).await
}

const LOGIN: &str = "Accepted publickey";

/// Each with a user, a key, known host keys and an alias of its own, all by one ssh_config.
#[tokio::test(flavor = "multi_thread")]
async fn two_jump_hosts_in_a_row_are_themselves() {
    let info = "LogLevel INFO";
    let start = || Sshd::with(info, &["ed25519"]);
    let (Some(first), Some(second), Some(last)) = (start(), start(), start()) else { return };
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("config");
    let host = |name: &str, user: &str, sshd: &Sshd, more: &str| {
        format!(
            "Host {name}\n  HostName 127.0.0.1\n  Port {}\n  User {user}\n  IdentityFile {}\n  UserKnownHostsFile {}\n  \
             GlobalKnownHostsFile none\n  IdentitiesOnly yes\n  {more}\n",
            sshd.port,
            sshd.path("id").display(),
            sshd.path("known_hosts").display()
        )
    };
    let text = host("j1", "nobody", &first, "")
        + &host("j2", "daemon", &second, "")
        + &host("last", "root", &last, "ProxyJump j1,j2");
    fs::write(&file, text).unwrap();
    let settings = config(&file, &[]).resolve(&[wanted("last")]).unwrap().settings.remove(0);
    let host = connect(Settings { root: false, ..settings }).await.unwrap();
    assert_eq!(run(&*host, "id -un").await.text(), "root\n");
    assert_eq!(first.logged("Accepted publickey for nobody"), 1);
    assert_eq!(second.logged("Accepted publickey for daemon"), 1);
    assert_eq!(last.logged("Accepted publickey for root"), 1);
    // The second is reached through the first alone, and is told apart where its key is not known.
    fs::write(second.path("known_hosts"), "").unwrap();
    let settings = config(&file, &[]).resolve(&[wanted("last")]).unwrap().settings.remove(0);
    let error = connect(Settings { root: false, ..settings }).await.err().unwrap();
    let HostError::Jump { jump, error } = &error else { panic!("{error:?}") };
    assert_eq!(jump, "j2");
    assert!(matches!(&**error, HostError::HostKey { .. }), "{error:?}");
}

/// sshd drops handshakes beyond ten at a time, on the way and at the end of it.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_hosts_behind_one_jump_host_take_one_connection() {
    let lines = "MaxStartups 10:30:100\nLogLevel INFO";
    let start = || Sshd::with(lines, &["ed25519"]);
    let (Some(jump), Some(one), Some(two)) = (start(), start(), start()) else { return };
    let dialers = dialers((0..50).map(|at| through(&[&jump], if at % 2 == 0 { &one } else { &two })));
    let started = Instant::now();
    let hosts: Vec<_> = all(&dialers).await.into_iter().collect::<Result<_, _>>().unwrap();
    println!("50 hosts behind a jump host in {:?}", started.elapsed());
    let answers = join_all(hosts.iter().map(|host| run(&**host, "echo here"))).await;
    assert!(answers.iter().all(|ran| ran.text() == "here\n"));
    assert_eq!((jump.logged(LOGIN), one.logged(LOGIN), two.logged(LOGIN)), (1, 25, 25));
    join_all(hosts.iter().map(|host| host.close())).await;
}

/// What one host sends is not taken until others behind the same jump host have run their commands.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_whose_output_is_not_taken_stops_no_other() {
    let (Some(jump), Some(host)) = (Sshd::start(), Sshd::start()) else { return };
    let dialers = dialers((0..3).map(|_| through(&[&jump], &host)));
    let hosts: Vec<_> = all(&dialers).await.into_iter().collect::<Result<_, _>>().unwrap();
    let (go_on, others_are_done) = std::sync::mpsc::channel();
    let loud = Arc::clone(&hosts[0]);
    let much = tokio::spawn(async move {
        let length = Arc::new(AtomicUsize::new(0));
        let (mut waits, counted) = (true, Arc::clone(&length));
        let mut output = move |_, bytes: &[u8]| {
            if std::mem::take(&mut waits) {
                tokio::task::block_in_place(|| others_are_done.recv_timeout(Duration::from_secs(120)).unwrap());
            }
            counted.fetch_add(bytes.len(), Ordering::Relaxed);
        };
        let request = script("head -c 30000000 /dev/zero", Duration::from_secs(120));
        loud.exec(request, &mut output).await.unwrap();
        length.load(Ordering::Relaxed)
    });
    // Time for a window to fill.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for host in hosts[1..].iter().cycle().take(20) {
        assert_eq!(run(&**host, "echo here").await.text(), "here\n");
    }
    go_on.send(()).unwrap();
    assert_eq!(much.await.unwrap(), 30_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_host_that_is_down_is_dialled_once_and_blamed() {
    let Some(host) = Sshd::start() else { return };
    // It takes connections and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut settings = through(&[&host], &host);
    settings.connect_timeout = Duration::from_secs(2);
    if let Via::Jumps(jumps) = &mut settings.via {
        jumps[0].port = listener.local_addr().unwrap().port();
    }
    let dialers = dialers((0..20).map(|_| settings.clone()));
    let mut failures = all(&dialers[..10]).await;
    // Who comes later does not wait for it again.
    let later = Instant::now();
    failures.extend(all(&dialers[10..]).await);
    assert!(later.elapsed() < settings.connect_timeout, "{:?}", later.elapsed());
    for failure in failures {
        let error = failure.err().unwrap();
        assert!(matches!(&error, HostError::Jump { jump, .. } if jump == "bastion"), "{error:?}");
        let said = error.to_string();
        assert!(said.starts_with("the jump host bastion: cannot reach 127.0.0.1:"), "{said}");
        assert!(said.ends_with("there was no SSH handshake within 2 s"), "{said}");
    }
    assert!(listener.accept().is_ok());
    assert!(listener.accept().is_err(), "it was dialled once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_jump_host_cannot_or_may_not_reach_is_told() {
    let (Some(jump), Some(host)) = (Sshd::start(), Sshd::start()) else { return };
    let Some(closed) = Sshd::with("AllowTcpForwarding no", &["ed25519"]) else { return };
    let nowhere = Settings { port: free_port(), ..through(&[&jump], &host) };
    for (settings, said) in [
        (nowhere, "the jump host bastion cannot connect to it"),
        (through(&[&closed], &host), "the jump host bastion forbids it"),
    ] {
        let endpoint = format!("127.0.0.1:{}", settings.port);
        let error = connect(settings).await.err().unwrap();
        let HostError::Unreachable { address, reason } = &error else { panic!("{error:?}") };
        assert_eq!(*address, endpoint);
        assert!(reason.starts_with(said), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_host_that_is_lost_is_blamed_and_dialled_again() {
    let lines = "LogLevel INFO";
    let (Some(jump), Some(host)) = (Sshd::with(lines, &["ed25519"]), Sshd::start()) else { return };
    let dialers = dialers([through(&[&jump], &host)]);
    let first = dialers[0].connect().await.unwrap();
    let running = script("sleep 60", Duration::from_secs(60));
    let (ran, ()) = tokio::join!(try_run(&*first, running), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        jump.connections().into_iter().for_each(kill);
    });
    let error = ran.unwrap_err();
    assert!(error.to_string().contains("the jump host bastion: the server closed the connection"), "{error}");
    let again = dialers[0].connect().await.unwrap();
    assert_eq!(run(&*again, "echo here").await.text(), "here\n");
    assert_eq!(jump.logged(LOGIN), 2);
}
