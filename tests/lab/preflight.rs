//! What is wrong with hosts, found before the first write. Clock, swap and product_uuid are the one machine's, so faults
//! of theirs are injected where facts are parsed, in the unit tests.

use std::fs;

use crate::lab::Lab;

const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

#[test]
#[ignore = "needs the lab"]
fn a_clone_stops_the_run_before_the_first_write() {
    let lab = Lab::ready();
    let machine_id = lab.root("h2", "cat /etc/machine-id");
    for (clone, undo, check) in [
        (
            format!("cp /etc/machine-id /run/own; echo {machine_id} > /etc/machine-id"),
            "cat /run/own > /etc/machine-id",
            "machine-id-twice",
        ),
        ("hostname h2".to_owned(), "hostname h3", "hostname-twice"),
    ] {
        lab.root("h3", &clone);
        let before = lab.traces(&HOSTS);
        let up = lab.up(&["--json"]).exits(5);
        assert!(up.problems().contains(&format!("error {check}")), "{up}");
        assert_eq!(up.events_of("step-started").len(), 0, "{up}");
        before.assert_same(&lab.traces(&HOSTS));
        lab.root("h3", undo);
    }
    lab.intact();
}

#[test]
#[ignore = "needs the lab"]
fn a_stopped_firewalld_is_told_and_not_started() {
    let lab = Lab::ready();
    lab.root("h2", "systemctl stop firewalld");
    let up = lab.up(&["--json"]).exits(0);
    assert!(up.problems().contains(&"warning firewalld-stopped".to_owned()), "{up}");
    assert_eq!(up.changed(), [""; 0]);
    assert_eq!(lab.try_root("h2", "systemctl is-active firewalld").stdout, "inactive\n");
}

#[test]
#[ignore = "needs the lab"]
fn a_worker_without_a_kubelet_costs_only_itself() {
    let lab = Lab::ready();
    lab.root("h3", "mv /usr/bin/kubelet /usr/bin/kubelet.away");
    let up = lab.up(&["--json"]).exits(5);
    let failed = up.failed();
    assert!(failed.len() == 1 && failed[0].starts_with("h3 step: ") && failed[0].contains("kubelet"), "{failed:?}");
    assert_eq!(up.events_of("host-finished").len(), 2, "{up}");
    lab.root("h3", "mv /usr/bin/kubelet.away /usr/bin/kubelet");
    lab.intact();
}

#[test]
#[ignore = "needs the lab"]
fn a_host_with_another_key_is_never_logged_in_to() {
    let lab = Lab::ready();
    let known = fs::read_to_string(lab.file("known_hosts")).unwrap();
    // h3 is known by the keys of h2.
    let others = known.lines().filter(|line| !line.starts_with("h3,"));
    let stolen =
        known.lines().filter(|line| line.starts_with("h2,")).map(|line| line.replace("h2,10.88.0.12", "h3,10.88.0.13"));
    let lines: Vec<String> = others.map(str::to_owned).chain(stolen).collect();
    let file = lab.written("known_hosts", &(lines.join("\n") + "\n"));
    let inventory = lab.inventory(&[(lab.file("known_hosts").to_str().unwrap(), file.to_str().unwrap())]);

    let logins = || lab.root("h3", "journalctl -u ssh --no-pager -o cat | grep -c 'Accepted' || true");
    let before = logins();
    let up = lab.up_with(&inventory, &["--json"]).exits(4);
    let failed = up.failed();
    let line = lines.iter().position(|line| line.starts_with("h3,") && line.contains("ed25519")).unwrap() + 1;
    let place = format!("{}:{line}", file.display());
    assert!(failed.len() == 1 && failed[0].starts_with("h3 unreachable: "), "{failed:?}");
    assert!(failed[0].contains(&place), "{place} is not in {failed:?}");
    assert_eq!(up.events_of("host-finished").len(), 2, "{up}");
    assert_eq!(logins(), before);
    lab.intact();
}
