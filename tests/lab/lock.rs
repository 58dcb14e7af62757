//! Two runs on one fleet: the second is told who is at work, and the first cannot lock anybody out for long.

use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::ran::Ran;

/// The longest that a lock may outlive whoever held it.
const MINUTE: Duration = Duration::from_secs(60);

/// `kfleet up` on behalf of somebody, under way or to its end.
fn up(lab: &Lab, user: &str) -> std::process::Command {
    let mut command = lab.kfleet(&["up", "--json", "-i"]);
    command.arg(lab.file("inventory.toml")).env("USER", user).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(lab: &Lab, user: &str) -> Ran {
    up(lab, user).output().unwrap().into()
}

/// An `up` that waits in the middle of a change on h3, until `go`.
fn slow(lab: &Lab, user: &str) -> Child {
    const SLOW: &str = r#"#!/bin/sh
[ "$1" != -w ] || touch /run/slow
while [ "$1" = -w ] && [ ! -e /run/go ]; do sleep 0.2; done
exec /usr/sbin/sysctl "$@""#;
    lab.root("h3", &format!("rm -f /run/slow /run/go; cat > /usr/local/sbin/sysctl <<'END'\n{SLOW}\nEND\n"));
    lab.root("h3", "chmod +x /usr/local/sbin/sysctl; echo 0 > /proc/sys/net/ipv4/ip_forward");
    let child = up(lab, user).spawn().unwrap();
    lab.wait("the change on h3", || lab.try_root("h3", "test -e /run/slow").code == 0);
    child
}

fn go(lab: &Lab) {
    lab.root("h3", "rm /usr/local/sbin/sysctl; touch /run/go");
}

/// How long it takes until nobody has the lock.
fn until_free(lab: &Lab) -> Duration {
    let since = Instant::now();
    while lab.try_root("h1", "flock -n /run/kfleet/lock true").code != 0 {
        assert!(since.elapsed() < MINUTE, "still locked after {MINUTE:?}");
        thread::sleep(Duration::from_millis(300));
    }
    since.elapsed()
}

#[test]
#[ignore = "needs the lab"]
fn a_second_run_is_refused_by_name_and_a_plan_is_not() {
    let lab = Lab::ready();
    let first = slow(&lab, "ann");
    let before = lab.traces(&["h1", "h2", "h3"]);
    let second = ended(&lab, "bob").exits(1);
    let refused = &second.events_of("lock-refused")[0];
    assert_eq!((&refused["host"], &refused["holder"]["user"]), (&"h1".into(), &"ann".into()), "{second}");
    assert_eq!(refused["holder"]["command"], "up");
    second.nothing_changed();
    assert_eq!(lab.plan(&["--json"]).exits(0).would_change(), ["h3 kernel"]);
    before.assert_same(&lab.traces(&["h1", "h2", "h3"]));
    // The same person in another terminal is another run all the same.
    ended(&lab, "ann").exits(1);

    go(&lab);
    let first = Ran::from(first.wait_with_output().unwrap()).exits(0);
    assert_eq!(first.changed(), ["h3 kernel"]);
    assert!(until_free(&lab) < Duration::from_secs(5));
    ended(&lab, "bob").exits(0).nothing_changed();
    lab.intact();
}

#[test]
#[ignore = "needs the lab"]
fn a_lock_does_not_outlive_its_holder() {
    let lab = Lab::ready();
    let mut killed = slow(&lab, "ann");
    killed.kill().unwrap();
    killed.wait().unwrap();
    eprintln!("free {:?} after kill -9", until_free(&lab));
    go(&lab);
    ended(&lab, "bob").exits(0);

    // Its workstation loses the network, and nothing tells the host: packets are dropped, none is answered.
    let cut_off = slow(&lab, "ann");
    let network = |verb: &str| {
        for host in ["h1", "h2", "h3"] {
            let rules = format!(
                "iptables {verb} INPUT --source 10.88.0.1 -j DROP; iptables {verb} OUTPUT --destination 10.88.0.1 -j DROP"
            );
            lab.root(host, &rules);
        }
    };
    network("-I");
    let free = until_free(&lab);
    let lost = Ran::from(cut_off.wait_with_output().unwrap());
    network("-D");
    eprintln!("free {free:?} after the network was cut");
    assert!(free > Duration::from_secs(20), "a short break of the network costs no lock");
    assert_eq!(lost.events_of("lock-lost").len(), 1, "{lost}");
    assert_ne!(lost.code, 0);
    go(&lab);
    ended(&lab, "bob").exits(0);
    lab.intact();
}
