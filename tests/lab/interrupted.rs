//! An `up` that is cut short or fails half-way, and the next one, which completes it.

use std::io::{BufRead, BufReader};

use crate::lab::{Lab, signal};
use crate::ran::Ran;

const HOSTS: [&str; 2] = ["h1", "h2"];

#[test]
#[ignore = "needs the lab"]
fn an_init_that_fails_or_is_left_alone_is_completed_by_the_next_run() {
    let lab = Lab::bare(2);

    // Somebody else has the API server's port: kubeadm's own words, the likely cause, and no worker is blamed.
    lab.root("h1", "systemd-run --quiet --unit=squatter nc -l -k -p 6443");
    lab.wait("the port to be taken", || lab.try_root("h1", "nc -z 127.0.0.1 6443").code == 0);
    let taken = lab.up(&["--json"]).exits(5);
    let failures = taken.events_of("host-failed");
    assert_eq!(failures[0]["host"], "h1", "{taken}");
    let failure = &failures[0]["failure"];
    assert!(failure["output"].to_string().contains("Port 6443 is in use"), "{failure}");
    assert!(failure["hint"].as_str().is_some_and(|hint| hint.contains("port")), "{failure}");
    assert!(taken.failed().iter().any(|failed| failed.contains("h2") && failed.contains("h1 failed")), "{taken}");
    lab.root("h1", "systemctl stop squatter");

    // Killed in the middle of init, which goes on by itself.
    let mut killed = lab.begin();
    during_init(&lab);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(lab.root("h1", "systemctl is-active kfleet-init"), "active");
    // Nobody else may begin anything beside it, and hears whose it is.
    let mut other = lab.kfleet(&["up", "--json", "-i"]);
    let other =
        Ran::from(other.arg(lab.file("inventory.toml")).env("USER", "somebody-else").output().unwrap()).exits(1);
    let refused = &other.events_of("lock-refused")[0];
    assert_eq!(refused["still_running"][0]["what"], "kfleet-init.service", "{other}");
    assert_eq!(other.changed(), [""; 0]);

    // One Ctrl-C: the init that was found again is finished, nothing else is begun.
    let mut following = lab.begin();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines().map(Result::unwrap);
    let begun = |line: &String| line.contains("step-started") && line.contains("control-plane");
    assert!(lines.by_ref().any(|line| begun(&line)));
    signal(following.id(), "INT");
    let stdout = lines.map(|line| line + "\n").collect();
    let code = following.wait().unwrap().code().unwrap();
    let interrupted = Ran { code, stdout, stderr: String::new() }.exits(3);
    let heard = &interrupted.events_of("interrupt-received")[0]["waiting_for"];
    assert!(heard.to_string().contains("kubeadm init"), "{heard}");
    assert_eq!(lab.root("h1", "kubeadm token list"), "");
    assert_eq!(lab.nodes().len(), 1);

    let up = lab.up(&["--json"]).exits(0);
    assert_eq!(up.changed().iter().filter(|change| change.ends_with("control-plane")).count(), 0, "{up}");
    assert_eq!(lab.nodes(), ["h1 True", "h2 True"]);
    lab.up(&["--json"]).exits(0).nothing_changed();
    let runs = lab.history(&[]);
    for (run, result) in
        [(1, "failed: a step"), (2, "cut off"), (3, "failed on"), (4, "interrupted"), (5, "ok"), (6, "ok")]
    {
        let line = runs.lines().find(|line| line.trim_start().starts_with(&format!("{run} "))).unwrap();
        assert!(line.contains(result), "{line}");
    }
}

#[test]
#[ignore = "needs the lab"]
fn a_join_that_was_cut_leaves_no_token_and_is_made_up_for() {
    let lab = Lab::bare(2);
    let cutting = lab.begin();
    lab.wait("the join", || lab.try_root("h2", "systemctl is-active kfleet-join && pgrep -x kubeadm").code == 0);
    lab.root("h2", "systemctl kill --signal=KILL kfleet-join");
    let cut = Ran::from(cutting.wait_with_output().unwrap()).exits(5);
    assert!(cut.failed().iter().all(|failed| failed.starts_with("h2 ")), "{cut}");
    lab.root(
        "h2",
        "test ! -e /etc/kubernetes/bootstrap-kubelet.conf && test ! -e /var/lib/kfleet/jobs/join/config.yaml",
    );
    assert_eq!(lab.root("h1", "kubeadm token list"), "");

    let up = lab.up(&["--json"]).exits(0);
    assert_eq!(up.changed(), ["h2 worker"]);
    assert_eq!(lab.nodes(), HOSTS.map(|host| format!("{host} True")));
}

/// Waits until kubeadm makes the control plane on h1.
fn during_init(lab: &Lab) {
    lab.wait("init", || lab.try_root("h1", "test -e /etc/kubernetes/manifests/kube-apiserver.yaml").code == 0);
}
