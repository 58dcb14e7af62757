use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::fleet::Fleet;

#[test]
fn who_failed_is_told_by_reason_and_can_be_run_again() {
    let Some(fleet) = Fleet::start() else { return };
    let inventory = fs::read_to_string(fleet.path("inventory.toml")).unwrap();
    // Nothing listens at these two.
    let inventory = inventory.replace("127.0.0.8", "127.0.0.38").replace("127.0.0.9", "127.0.0.39");
    fs::write(fleet.path("inventory.toml"), inventory).unwrap();
    let ran = fleet
        .run(&["run", "set -- $SSH_CONNECTION; case $3 in *.[2-4]) exit 3;; *.5) kill -TERM $$;; esac; echo well"]);
    assert_eq!(ran.status, Some(4));
    assert_eq!(ran.lines(), ["node5: well", "node6: well"]);
    assert_eq!(
        ran.stderr,
        "6 of 8 hosts failed\nnode[1-3]: exit status 3\nnode4: killed by SIGTERM\nnode[7-8]: cannot be reached: Connection \
         refused (os error 111)\n  hint: is it up, does its firewall let you in, and is that sshd's port? try `ssh` to it\n"
    );
    let ran = fleet.run(&["run", "--failed", "--exclude", "node[7-8]", "echo again"]);
    assert_eq!(ran.lines(), ["node1: again", "node2: again", "node3: again", "node4: again"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    let ran = fleet.run(&["run", "--failed", "true"]);
    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (Some(2), "kfleet: --failed: none of these hosts failed last time\n")
    );
}

#[test]
fn a_deadline_ends_what_runs_on_the_host() {
    let Some(fleet) = Fleet::start() else { return };
    let started = Instant::now();
    let ran = fleet.run(&[
        "run",
        "-t",
        "6",
        "--hosts",
        "node[1-4]",
        "echo $$; set -- $SSH_CONNECTION; [ ${3##*.} = 2 ] || sleep 600",
    ]);
    assert_eq!(ran.status, Some(3));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(ran.stderr, "3 of 4 hosts failed\nnode[2-4]: not done within 6 s\n");
    let shells = ran.stdout.lines().map(|line| line.split_once(": ").unwrap().1);
    shells.for_each(|shell| assert!(!fs::exists(format!("/proc/{shell}")).unwrap(), "{shell}"));
}

#[test]
fn ctrl_c_ends_it_and_says_where_it_was() {
    let Some(fleet) = Fleet::start() else { return };
    let command = "set -- $SSH_CONNECTION; [ ${3##*.} = 2 ] || { echo $$; exec sleep 600; }";
    let mut run = fleet.kfleet(&["run", "--json", "--hosts", "node[1-3]", command]);
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first host has ended, and the others have begun.
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let objects = lines.by_ref().take(3).map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    let shells: Vec<String> =
        objects.filter_map(|object: serde_json::Value| object["line"].as_str().map(str::to_owned)).collect();
    assert_eq!(shells.len(), 2);
    interrupt(run.id());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "kfleet: interrupted; ending what runs on node[2-3], once more leaves at once\n2 of 3 hosts failed\nnode[2-3]: \
         interrupted\n"
    );
    shells.iter().for_each(|shell| assert!(!fs::exists(format!("/proc/{shell}")).unwrap(), "{shell}"));
}

#[test]
fn a_second_ctrl_c_waits_for_nothing() {
    let Some(fleet) = Fleet::start() else { return };
    // It takes a while to be ended.
    let mut run = fleet.kfleet(&["run", "--hosts", "node1", "trap '' TERM; echo on; while :; do sleep 0.1; done"]);
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "node1: on");
    interrupt(run.id());
    std::thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    interrupt(run.id());
    assert_eq!(run.wait().unwrap().code(), Some(3));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    // Where it was left is where it failed.
    assert_eq!(fleet.run(&["run", "--failed", "echo again"]).stdout, "node1: again\n");
}

#[test]
fn where_nobody_read_to_the_end_it_failed() {
    let Some(fleet) = Fleet::start() else { return };
    let command = "set -- $SSH_CONNECTION; [ ${3##*.} = 2 ] || { sleep 1; yes; }; echo well";
    let mut run = fleet.kfleet(&["run", "--hosts", "node[1-2]", command]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "node1: well");
    assert_eq!(lines.next().unwrap().unwrap(), "node2: y");
    drop(lines);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(fleet.run(&["run", "--failed", "echo again"]).stdout, "node2: again\n");
}

#[test]
fn a_closed_terminal_ends_it_as_ctrl_c_does_but_not_under_nohup() {
    let Some(fleet) = Fleet::start() else { return };
    // Whoever runs the tests may do it under nohup.
    let told = |option: &str, line: &str| {
        let kfleet = fleet.kfleet(&["run", "--hosts", "node1", line]);
        let mut env = Command::new("/usr/bin/env");
        env.arg(option).arg(kfleet.get_program()).args(kfleet.get_args()).env_clear().current_dir(fleet.home.path());
        env.envs(kfleet.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut run = env.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        // By the shell, and by the system.
        for _ in 0..2 {
            send("HUP", run.id());
            std::thread::sleep(Duration::from_millis(50));
        }
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        (run.wait_with_output().unwrap().status.code(), first, rest)
    };
    let (status, first, rest) = told("--default-signal=HUP", "trap '' HUP; echo $$; exec sleep 600");
    let shell = first.strip_prefix("node1: ").unwrap();
    assert!(!fs::exists(format!("/proc/{shell}")).unwrap(), "{shell}");
    assert_eq!((status, rest.len()), (Some(3), 0), "{rest:?}");
    let (status, _, rest) = told("--ignore-signal=HUP", "echo on; sleep 1; echo end");
    assert_eq!((status, rest), (Some(0), vec!["node1: end".to_owned()]));
}

fn interrupt(process: u32) {
    send("INT", process);
}

fn send(signal: &str, process: u32) {
    assert!(Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status().unwrap().success());
}

#[test]
fn a_flood_from_one_host_keeps_nobody_waiting_and_takes_no_memory() {
    let Some(fleet) = Fleet::start() else { return };
    // Far more than is kept in memory, and long enough for a debug build.
    let command =
        "set -- $SSH_CONNECTION; [ ${3##*.} = 2 ] && yes 0123456789abcdef0123456789abcde | head -c 256M; echo end";
    let started = Instant::now();
    let mut run = fleet.kfleet(&["run", "--hosts", "node[1-4]", command]).stdout(Stdio::piped()).spawn().unwrap();
    let peak = crate::memory::peak(run.id());
    let (mut lines, mut others) = (0_u64, None);
    let mut ended = 0;
    // Read slowly at first, as a terminal does.
    for line in BufReader::with_capacity(1 << 20, run.stdout.take().unwrap()).split(b'\n') {
        lines += 1;
        if line.unwrap().ends_with(b": end") {
            ended += 1;
            if ended == 3 {
                others = Some((lines, started.elapsed()));
            }
        }
    }
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!((lines, ended), (8 * 1024 * 1024 + 4, 4));
    assert!(others.unwrap().0 < lines / 2, "{others:?}");
    let peak = peak.join().unwrap();
    assert!(peak < 200_000, "{peak} kB");
}
