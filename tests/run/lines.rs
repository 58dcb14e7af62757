use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::fleet::Fleet;

/// What a command says of itself to know which host it runs on: the last number of the address.
const NUMBER: &str = "set -- $SSH_CONNECTION; n=${3##*.}";

#[test]
fn lines_come_whole_with_their_hosts() {
    let Some(fleet) = Fleet::start() else { return };
    // Half lines from all hosts at the same time.
    let ran = fleet.run(&[
        "run",
        &format!("{NUMBER}; for i in 1 2 3; do printf 'a '; sleep 0.05; echo $n $i; done; echo oh >&2; printf end"),
    ]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let mut expected: Vec<String> =
        (1..=8).flat_map(|host| (1..=3).map(move |i| format!("node{host}: a {} {i}", host + 1))).collect();
    expected.extend((1..=8).map(|host| format!("node{host}: end")));
    expected.sort();
    assert_eq!(ran.lines(), expected);
    let mut errors: Vec<&str> = ran.stderr.lines().collect();
    errors.sort_unstable();
    assert_eq!(errors, (1..=8).map(|host| format!("node{host}: oh")).collect::<Vec<_>>());
}

#[test]
fn words_make_a_line_and_options_end_where_it_begins() {
    let Some(fleet) = Fleet::start() else { return };
    for arguments in [&["echo", "-n", "a  b", "--json"][..], &["--", "echo", "-n", "a  b", "--json"]] {
        let arguments = [&["run", "--hosts", "node1"][..], arguments].concat();
        assert_eq!(fleet.run(&arguments).stdout, "node1: a b --json\n", "{arguments:?}");
    }
    // Hosts that no inventory knows; and one that is told apart by more than its address.
    let to = format!("127.0.0.[2-3]:{} root@127.0.0.2:{}", fleet.sshd.port, fleet.sshd.port);
    let ran = fleet.run(&["run", "-H", &to, "-l", "root", "echo", "here"]);
    let port = fleet.sshd.port;
    assert_eq!(
        ran.lines(),
        [&format!("127.0.0.2:{port}: here"), "127.0.0.3: here", &format!("root@127.0.0.2:{port}: here")],
        "{ran:?}"
    );
}

#[test]
fn bytes_go_through_as_they_are() {
    let Some(fleet) = Fleet::start() else { return };
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(3_000_000).collect();
    fs::write(fleet.path("bytes"), &bytes).unwrap();
    let cat = format!("cat {}; printf '\\033[31m\\377' >&2", fleet.path("bytes").display());
    let output = fleet.kfleet(&["run", "-N", "--hosts", "node3", &cat]).output().unwrap();
    assert!(output.stdout == bytes);
    assert_eq!(output.stderr, b"\x1b[31m\xff");
    let output = fleet.kfleet(&["run", "--hosts", "node3", "printf 'a\\033\\r\\377\\0b\\n'"]).output().unwrap();
    assert_eq!(output.stdout, b"node3: a\x1b\r\xff\0b\n");

    let ran = fleet.run(&["run", "--hosts", "node[1-2]", "--out", "got/out", "--err", "got/err", &cat]);
    assert_eq!((ran.stdout.as_str(), ran.status), ("", Some(0)));
    for host in ["node1", "node2"] {
        assert!(fs::read(fleet.path("got/out").join(host)).unwrap() == bytes);
        assert_eq!(fs::read(fleet.path("got/err").join(host)).unwrap(), b"\x1b[31m\xff");
    }
}

#[test]
fn a_reader_that_has_read_enough_ends_the_run() {
    let Some(fleet) = Fleet::start() else { return };
    // One that never stops, and one that says nothing more.
    for command in ["yes $$", "echo $$; exec sleep 600"] {
        let started = Instant::now();
        let mut run = fleet.kfleet(&["run", command]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 12];
        run.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = run.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{command}");
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    }
}

#[test]
fn a_line_that_does_not_end_takes_no_memory() {
    let Some(fleet) = Fleet::start() else { return };
    let command = "head -c 50000000 /dev/zero | tr '\\0' x";
    let run = fleet.kfleet(&["run", "--hosts", "node[1-2]", command]).stdout(Stdio::piped()).spawn().unwrap();
    let peak = crate::memory::peak(run.id());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<&[u8]> = output.stdout.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [50_000_008; 2]);
    let peak = peak.join().unwrap();
    assert!(peak < 150_000, "{peak} kB");
}
