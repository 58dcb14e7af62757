use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use kfleet::host::{Exit, HostError, Request, User};

use crate::sshd::{Sshd, kill, run, script, try_run};

#[tokio::test(flavor = "multi_thread")]
async fn both_streams_and_the_status_arrive_in_order() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let ran = run(&*host, "echo one; echo two >&2; echo three; exit 7").await;
    assert_eq!((ran.stdout, ran.stderr), (b"one\nthree\n".to_vec(), b"two\n".to_vec()));
    assert_eq!(ran.exit, Exit::Status(7));
    for (text, exit) in [("", Exit::Status(0)), ("false", Exit::Status(1)), ("true # said so", Exit::Status(0))] {
        assert_eq!(run(&*host, text).await.exit, exit, "{text:?}");
    }
    host.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_read_whole_before_it_runs() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    // A command that reads stdin does not eat the script.
    assert_eq!(run(&*host, "cat; echo still here").await.text(), "still here\n");
    // What cannot be parsed to its end does nothing, and keeps its line numbers.
    let ran = run(&*host, "echo started\n\nif true; then").await;
    assert_eq!(ran.text(), "");
    assert_ne!(ran.exit, Exit::Status(0));
    let ran = run(&*host, "\n\nnothing-of-that-name").await;
    assert!(String::from_utf8_lossy(&ran.stderr).contains("3:"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_needs_no_sudo_to_be_root() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let request = Request::script("id -u".into(), User::Root, Duration::from_secs(60));
    assert_eq!(try_run(&*host, request).await.unwrap().text(), "0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_megabytes_go_either_way() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let ran = run(&*host, "yes 0123456789abcdef | head -c 20000000; yes e | head -c 5000000 >&2").await;
    assert_eq!((ran.stdout.len(), ran.stderr.len()), (20_000_000, 5_000_000));

    let body = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n".repeat(312_500);
    let ran = run(&*host, &format!("wc -c <<'END'\n{body}END")).await;
    assert_eq!(ran.text().trim(), "20000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_goes_either_way_as_it_is() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    // Every pair of bytes, so that nothing between them is taken for a line end or an escape.
    let all: Vec<u8> = (0..=255_u8).flat_map(|one| (0..=255_u8).flat_map(move |two| [one, two])).collect();
    // In pieces of every size, some of them empty.
    let pieces = (0_usize..).scan(0, |at, size| {
        let piece = all.get(*at..(*at + size).min(all.len()))?;
        *at += size;
        Some(Bytes::copy_from_slice(piece))
    });
    let pieces: Vec<_> = pieces.collect();
    assert_eq!(pieces.concat(), all);
    for (request, from) in [
        (Request::line("cat"), &all[..]),
        (Request::line("cat >&2"), &all),
        (script("cat", Duration::from_secs(60)), &all),
        (Request::line("head -c 1000; cat >/dev/null"), &all[..1000]),
        (script("head -c 0", Duration::from_secs(60)), &[]),
    ] {
        let input = futures::stream::iter(pieces.clone()).boxed();
        let ran = try_run(&*host, request.reading(input)).await.unwrap();
        assert_eq!(ran.exit, Exit::Status(0));
        assert!([ran.stdout, ran.stderr].concat() == from);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_ends_as_a_script_does() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let line = async |text: &str, deadline: Option<Duration>| {
        try_run(&*host, Request { deadline, ..Request::line(text) }).await
    };
    assert_eq!(line("exit 7", None).await.unwrap().exit, Exit::Status(7));
    assert_eq!(line("kill -TERM $$", None).await.unwrap().exit, Exit::Signal("TERM".to_owned()));
    // A child that stays has its status at once.
    let started = Instant::now();
    let ran = line("sleep 30 & echo $!; exit 3", None).await.unwrap();
    assert_eq!(ran.exit, Exit::Status(3));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    kill(ran.text().trim().parse().unwrap());
    // What is out of time is ended, whatever it has started, and what others run on the connection is not.
    let long = format!("7{:06}", std::process::id() % 1_000_000);
    let deadline = Duration::from_secs(1);
    let late = line(&format!("trap '' HUP; sleep {long} & sleep {long}"), Some(deadline)).await.unwrap_err();
    assert_eq!(late, HostError::Deadline { after: deadline });
    let mut left = String::new();
    for _ in 0..60 {
        left = run(&*host, &format!("pgrep -x -f 'sleep {long}'")).await.text().to_owned();
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(left, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_ends_before_it_read_all_does_not_stall() {
    let Some(sshd) = Sshd::with("ForceCommand exec false", &["ed25519"]) else { return };
    // Nothing reads the script here, so connecting fails in the same way; the window is never opened.
    let started = Instant::now();
    let error = crate::sshd::connect(sshd.settings()).await.err().unwrap();
    assert!(matches!(error, HostError::Authentication { .. }), "{error:?}");
    assert!(error.to_string().contains("login shell"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10));

    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let body = "#".repeat(8 << 20);
    // The shell is killed by its own child while 8 MB are still under way.
    let killer = "}\nkill -9 $$\n{\n";
    let ran = run(&*host, &format!("{killer}{body}")).await;
    assert_eq!(ran.exit, Exit::Signal("KILL".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_status_is_not_lost() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    for round in 0..40 {
        let ran = run(&*host, "(sleep 0.05; head -c 100000 /dev/zero) & exit 3").await;
        assert_eq!((ran.exit, ran.stdout.len()), (Exit::Status(3), 100_000), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_left_behind_holds_nobody_up() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let started = Instant::now();
    let ran = run(&*host, "sleep 30 & echo $!").await;
    assert_eq!(ran.exit, Exit::Status(0));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    // It was left behind on purpose, so it lives.
    let child: u32 = ran.text().trim().parse().unwrap();
    assert!(run(&*host, &format!("kill -0 {child}")).await.exit.success());
    kill(child);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_named() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    for signal in ["TERM", "KILL", "SEGV"] {
        assert_eq!(run(&*host, &format!("kill -{signal} $$")).await.exit, Exit::Signal(signal.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_ends_the_wait_and_the_process() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let seen = Mutex::new(Vec::new());
    let mut output = |_, bytes: &[u8]| seen.lock().unwrap().extend_from_slice(bytes);
    let started = Instant::now();
    let error =
        host.exec(script("echo $$; sleep 60 & echo $!; wait", Duration::from_secs(1)), &mut output).await.unwrap_err();
    assert_eq!(error, HostError::Deadline { after: Duration::from_secs(1) });
    assert!(started.elapsed() < Duration::from_secs(30));
    for process in String::from_utf8(seen.into_inner().unwrap()).unwrap().lines() {
        gone(process).await;
    }
    // The connection is as good as before.
    assert_eq!(run(&*host, "echo on").await.text(), "on\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exec_that_is_dropped_leaves_nothing_behind() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let mut shells = Vec::new();
    for _ in 0..20 {
        let (seen, mut first) = tokio::sync::mpsc::unbounded_channel();
        let mut output = |_, bytes: &[u8]| seen.send(bytes.to_vec()).unwrap();
        let endless = host.exec(script("echo $$; sleep 60", Duration::from_secs(60)), &mut output);
        // The first output drops what it came from.
        let shell = tokio::select! {
            ended = endless => panic!("{ended:?}"),
            shell = first.recv() => String::from_utf8(shell.unwrap()).unwrap(),
        };
        shells.push(shell);
    }
    // More than the server allows at a time were dropped, and their slots are free again.
    assert_eq!(run(&*host, "echo on").await.text(), "on\n");
    for shell in shells {
        gone(&shell).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_share_a_connection() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let all = futures::future::join_all((0..24).map(|number| {
        let host = Arc::clone(&host);
        let line = format!("echo {number}; date +%s%N; sleep 0.5; date +%s%N");
        async move { run(&*host, &line).await.text().to_owned() }
    }));
    let mut times = Vec::new();
    for (number, said) in all.await.into_iter().enumerate() {
        let words: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(words[0], number as u64);
        times.push((words[1], words[2]));
    }
    let at_once = |time: u64| times.iter().filter(|(begun, ended)| (*begun..*ended).contains(&time)).count();
    let most = times.iter().map(|(begun, _)| at_once(*begun)).max().unwrap();
    assert!((2..=8).contains(&most), "{most} at once");

    // A server with less room than that is waited for.
    let Some(sshd) = Sshd::with("MaxSessions 2", &["ed25519"]) else { return };
    let host = sshd.connect().await;
    let all = futures::future::join_all((0..6).map(|number| {
        let host = Arc::clone(&host);
        async move { run(&*host, &format!("sleep 0.1; echo {number}")).await.text().to_owned() }
    }));
    assert_eq!(all.await, ["0\n", "1\n", "2\n", "3\n", "4\n", "5\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_fails_everything_on_it() {
    let Some(sshd) = Sshd::start() else { return };
    let host = sshd.connect().await;
    let running: Vec<_> = (0..3)
        .map(|_| {
            let host = Arc::clone(&host);
            tokio::spawn(async move { try_run(&*host, script("sleep 60", Duration::from_secs(60))).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let started = Instant::now();
    let connections = sshd.connections();
    assert!(!connections.is_empty());
    connections.into_iter().for_each(kill);
    for one in running {
        let error = one.await.unwrap().unwrap_err();
        assert!(matches!(error, HostError::Lost { .. }), "{error:?}");
    }
    let error = try_run(&*host, script("true", Duration::from_secs(60))).await.unwrap_err();
    assert_eq!(error, HostError::Lost { reason: "the server closed the connection".to_owned() });
    assert!(started.elapsed() < Duration::from_secs(30));
}

/// Waits for a process to be gone.
async fn gone(process: &str) {
    let path = format!("/proc/{}", process.trim());
    for _ in 0..100 {
        if !std::path::Path::new(&path).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} is still there");
}
