use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::fleet::{Fleet, Ran};

#[test]
fn every_host_reads_all_of_stdin() {
    let Some(fleet) = Fleet::start() else { return };
    let bytes: Vec<u8> = (0..5_000_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    fs::write(fleet.path("bytes"), &bytes).unwrap();
    let sum = std::process::Command::new("sha256sum").arg(fleet.path("bytes")).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
    // One host reads slowly, one reads nothing.
    let command = "set -- $SSH_CONNECTION; case $3 in *.2) exit 0;; *.3) sleep 1;; esac; sha256sum";
    let mut run = fleet.kfleet(&["run", "-b", command]);
    run.stdin(fs::File::open(fleet.path("bytes")).unwrap());
    let ran = Ran::of(&mut run);
    assert_eq!(ran.stdout, format!("---------------\nnode[2-8] (7)\n---------------\n{sum}  -\n"), "{}", ran.stderr);
    // A single host's bytes come back as they were.
    let mut cat = fleet.kfleet(&["run", "-N", "--hosts", "node5", "cat"]);
    assert!(cat.stdin(fs::File::open(fleet.path("bytes")).unwrap()).output().unwrap().stdout == bytes);
}

#[test]
fn stdin_that_says_nothing_holds_up_only_who_reads_it() {
    let Some(fleet) = Fleet::start() else { return };
    let started = Instant::now();
    let mut run = fleet.kfleet(&["run", "--hosts", "node1", "echo here"]);
    let mut run = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let stdin = run.stdin.take();
    assert!(run.wait().unwrap().success());
    assert!(started.elapsed() < Duration::from_secs(60));
    drop(stdin);
    // And -n gives it to nobody.
    let mut run = fleet.kfleet(&["run", "-n", "--hosts", "node1", "cat; echo end"]);
    let mut run = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _stdin = run.stdin.take();
    assert_eq!(run.wait_with_output().unwrap().stdout, b"node1: end\n");
}

#[test]
fn what_comes_slowly_arrives_at_once() {
    let Some(fleet) = Fleet::start() else { return };
    let mut run = fleet.kfleet(&["run", "-N", "--hosts", "node1", "while read -r line; do echo got $line; done"]);
    let mut run = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (run.stdin.take().unwrap(), run.stdout.take().unwrap());
    for word in ["one", "two"] {
        writeln!(stdin, "{word}").unwrap();
        let mut answer = [0; 8];
        std::io::Read::read_exact(&mut stdout, &mut answer).unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("got {word}\n"));
    }
    drop(stdin);
    assert!(run.wait().unwrap().success());
}
