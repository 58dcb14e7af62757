use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::files::{asides, holds, noise};
use crate::fleet::Fleet;
use crate::memory;
use crate::sshd::kill;

#[test]
fn two_hundred_megabytes_reach_eight_hosts_whole_and_in_bounded_memory() {
    let Some(fleet) = Fleet::start() else { return };
    let contents = noise(200_000_000);
    fs::write(fleet.path("large"), &contents).unwrap();
    let child = fleet.kfleet(&["copy", "large", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = child.id();
    let memory = memory::peak(process);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let peak = memory.join().unwrap();
    assert!(peak < 190_000, "{peak} kB");
    for host in 1..=Fleet::HOSTS {
        assert!(holds(&fleet.there(host, "large"), &contents), "node{host}");
    }
    assert_eq!(asides(&fleet), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn a_run_that_is_killed_half_way_leaves_nothing_partial_and_the_next_completes_it() {
    let Some(fleet) = Fleet::start() else { return };
    let (old, new) = (noise(1_000_000), noise(30_000_000));
    for name in ["tree/a", "tree/b"] {
        fs::create_dir_all(fleet.path("tree")).unwrap();
        fs::write(fleet.path(name), &old).unwrap();
    }
    fleet.run(&["copy", "tree", "."]).well();
    fs::write(fleet.path("tree/b"), &new).unwrap();
    let mut child = fleet.kfleet(&["copy", "tree", "."]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Once some of it lies on a host.
    until(|| {
        let sizes = asides(&fleet).into_iter().filter_map(|aside| {
            let files = fs::read_dir(aside).ok()?.flatten();
            files.filter_map(|file| Some(file.metadata().ok()?.len())).max()
        });
        sizes.max() > Some(100_000)
    });
    kill(child.id());
    child.wait().unwrap();
    // The hosts see the connections end, and clear away what came.
    until(|| asides(&fleet).is_empty());
    for host in 1..=Fleet::HOSTS {
        assert!(holds(&fleet.there(host, "tree/a"), &old), "node{host}");
        let b = fleet.there(host, "tree/b");
        assert!(holds(&b, &old) || holds(&b, &new), "node{host}");
    }
    fleet.run(&["copy", "tree", "."]).well();
    for host in 1..=Fleet::HOSTS {
        assert!(holds(&fleet.there(host, "tree/b"), &new), "node{host}");
    }
    assert!(asides(&fleet).is_empty());
}

#[test]
fn a_cut_connection_and_ctrl_c_leave_nothing_either() {
    let Some(fleet) = Fleet::start() else { return };
    fs::write(fleet.path("large"), noise(100_000_000)).unwrap();
    let arguments = ["copy", "--hosts", "node[1-3]", "large", "."];
    let start = || fleet.kfleet(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let child = start();
    until(|| !asides(&fleet).is_empty());
    fleet.sshd.connections().into_iter().for_each(kill);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("the connection was lost"), "{stderr}");
    until(|| asides(&fleet).is_empty());

    let child = start();
    until(|| catches_ctrl_c(child.id()) && !asides(&fleet).is_empty());
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("node1: failed: interrupted"), "{stderr}");
    until(|| asides(&fleet).is_empty());
    for host in 1..=3 {
        assert!(!fleet.there(host, "large").exists(), "node{host}");
    }
}

/// Whether a process has a handler for SIGINT, by its mask in /proc.
fn catches_ctrl_c(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap_or("0");
    u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & 0b10 != 0)
}

fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never came to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}
