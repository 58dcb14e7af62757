//! Much output from one host while others run: in bounded memory, in a process of its own so that it can be measured.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kfleet::base::Interrupt;
use kfleet::fanout::{Fanout, Told, command};
use kfleet::host::{Connect, Exit, Request, Stream};
use kfleet::ssh::{Dialer, Keyring, Settings};

use crate::sshd::Sshd;

const LINE: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_one_host_holds_no_other_up() {
    let Some(sshd) = Sshd::start() else { return };
    let mut listening = Command::new(std::env::current_exe().unwrap());
    listening
        .args(["--exact", "flood::listening", "--ignored", "--nocapture"])
        .env("KFLEET_TEST_FLOOD", sshd.directory.path());
    listening.env("KFLEET_TEST_PORT", sshd.port.to_string()).env("KFLEET_TEST_MEGABYTES", "1000");
    let output = tokio::task::spawn_blocking(move || listening.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the test above runs it in a process of its own"]
async fn listening() {
    let variable = |name| std::env::var(name).unwrap();
    let directory = PathBuf::from(variable("KFLEET_TEST_FLOOD"));
    let bytes = variable("KFLEET_TEST_MEGABYTES").parse::<usize>().unwrap() * 1_000_000;
    let settings = Settings {
        port: variable("KFLEET_TEST_PORT").parse().unwrap(),
        identities: vec![directory.join("id")],
        agent: None,
        known_hosts: vec![directory.join("known_hosts")],
        connect_timeout: Duration::from_secs(60),
        root: false,
        ..Settings::to("one", "127.0.0.1", "root")
    };
    let keyring = Arc::new(Keyring::new());
    let hosts =
        (0..4).map(|_| Arc::new(Dialer::new(settings.clone(), Arc::clone(&keyring))) as Arc<dyn Connect>).collect();
    let (_switch, interrupt) = Interrupt::pair();
    let fanout = Fanout { hosts, parallel: 4, limit: None, interrupt };
    let started = Instant::now();
    let mut telling = command(fanout, move |host| match host {
        0 => Request::line(&format!("yes {LINE} | head -c {bytes}")),
        _ => Request::line("for second in 1 2 3; do echo here; sleep 1; done"),
    });
    // Nobody listens for a while: what comes is kept elsewhere than in memory.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let expected = format!("{LINE}\n").repeat(2000);
    let mut seen: HashMap<usize, usize> = HashMap::new();
    let mut ended = HashMap::new();
    while let Some(told) = telling.next().await {
        match told {
            Told::Output { host: 0, stream: Stream::Stdout, bytes } => {
                let so_far = seen.entry(0).or_default();
                let start = *so_far % (LINE.len() + 1);
                assert_eq!(&expected.as_bytes()[start..start + bytes.len()], &bytes[..], "after {so_far} bytes");
                *so_far += bytes.len();
            }
            Told::Output { host, bytes, .. } => *seen.entry(host).or_default() += bytes.len(),
            Told::Ended(end) => {
                assert_eq!(end.result, Ok(Exit::Status(0)));
                ended.insert(end.host, end.took);
            }
        }
    }
    assert_eq!(seen, HashMap::from([(0, bytes), (1, 15), (2, 15), (3, 15)]));
    let slowest = (1..4).map(|host| ended[&host]).max().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    let peak = peak.unwrap() / 1000;
    println!("{} MB in {:?}, the others in {slowest:?}, at most {peak} MB", bytes / 1_000_000, started.elapsed());
    // The windows and buffers of four connections and the spools; not the flood.
    assert!(peak < 150, "{peak} MB");
    // Three seconds of their own, whatever the flood does.
    assert!(slowest < Duration::from_secs(15), "{slowest:?}");
}
