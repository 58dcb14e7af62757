//! A kubelet that is there and does not run: on a node, before init and join, and during a run.

use crate::faults::{converges, only_h2_failed};
use crate::lab::{Lab, full};

/// Gives the kubelet a flag that it does not know, the way an admin does.
const UNKNOWN_FLAG: &str = "mkdir -p /etc/systemd/system/kubelet.service.d
printf '[Service]\\nEnvironment=KUBELET_EXTRA_ARGS=--no-such-flag\\n' > /etc/systemd/system/kubelet.service.d/99-mine.conf
systemctl daemon-reload";
const NO_UNKNOWN_FLAG: &str = "rm /etc/systemd/system/kubelet.service.d/99-mine.conf; systemctl daemon-reload";

#[test]
#[ignore = "needs the lab"]
fn a_kubelet_that_does_not_run_is_told_in_its_own_words_and_started_once_it_can() {
    let lab = Lab::ready();
    lab.root("h2", &format!("{UNKNOWN_FLAG}; systemctl restart kubelet"));
    let config = "/var/lib/kubelet/config.yaml";
    lab.root("h3", &format!("cp -a {config} /root/; echo '{{ no: yaml' >> {config}; systemctl restart kubelet"));
    for host in ["h2", "h3"] {
        lab.wait("the kubelet to end", || lab.try_root(host, "systemctl is-active kubelet").stdout == "activating\n");
    }
    let up = lab.up(&["--json"]).exits(5);
    let failures = up.events_of("host-failed");
    assert_eq!(failures.len(), 2, "{up}");
    for (host, words, hint) in [("h2", "--no-such-flag", "--no-such-flag"), ("h3", config, config)] {
        let failure = &failures.iter().find(|failed| failed["host"] == host).expect(host)["failure"];
        assert_eq!(failure["step"], "kubelet-unit", "{failure}");
        assert!(failure["output"].to_string().contains(words), "{failure}");
        assert!(failure["hint"].as_str().is_some_and(|said| said.contains(hint)), "{failure}");
    }
    assert_eq!(up.events_of("host-finished").len(), 3, "{up}");

    lab.root("h2", NO_UNKNOWN_FLAG);
    lab.root("h3", &format!("cp -a /root/config.yaml {config}; rm /root/config.yaml"));
    converges(&lab);
    // One that somebody has only stopped.
    lab.root("h2", "systemctl stop kubelet");
    assert_eq!(lab.up(&["--json"]).exits(0).changed(), ["h2 kubelet-unit"]);
    if full() {
        a_kubelet_that_ends_during_the_run_is_its_own_hosts(&lab);
    }
    lab.intact();
}

/// It runs when the hosts are asked, and ends for good while the cluster is waited for.
fn a_kubelet_that_ends_during_the_run_is_its_own_hosts(lab: &Lab) {
    lab.root("h2", "systemctl stop kubelet");
    lab.wait("the cluster to miss h2", || !lab.nodes().contains(&"h2 True".to_owned()));
    let drop_in = "/run/systemd/system/kubelet.service.d/99-ends.conf";
    let ends =
        "[Service]\\nRestart=no\\nExecStart=\\nExecStart=/bin/sh -c \"sleep 20; echo E1127 mine.go: no more; exit 1\"";
    lab.root("h2", &format!("mkdir -p $(dirname {drop_in}); printf '{ends}\\n' > {drop_in}; systemctl daemon-reload"));
    lab.root("h2", "systemctl start kubelet");
    let up = lab.up(&["--json"]).exits(5);
    let failure = only_h2_failed(&up);
    assert!(failure.contains("kubelet.service is failed") && failure.contains("mine.go: no more"), "{failure}");
    lab.root("h2", &format!("rm {drop_in}; systemctl daemon-reload"));
    converges(lab);
}

/// What takes too long for every run.
mod in_full {
    use super::*;

    #[test]
    #[ignore = "needs the lab"]
    fn a_kubelet_that_cannot_start_fails_init_and_join_in_its_own_words() {
        let lab = Lab::bare(2);
        for broken in ["h1", "h2"] {
            lab.root(broken, UNKNOWN_FLAG);
            let up = lab.up(&["--json"]).exits(5);
            let failures = up.events_of("host-failed");
            let failure = &failures.iter().find(|failed| failed["host"] == broken).expect(broken)["failure"];
            assert!(failure["output"].to_string().contains("unknown flag"), "{failure}");
            assert!(failure["hint"].as_str().is_some_and(|said| said.contains("--no-such-flag")), "{failure}");
            // A worker is blamed for nothing but its own kubelet.
            assert!(
                up.failed().iter().all(|failed| failed.starts_with(broken) || failed.contains("h1 failed")),
                "{up}"
            );
            lab.root(broken, NO_UNKNOWN_FLAG);
        }
        converges(&lab);
        assert_eq!(lab.nodes(), ["h1 True", "h2 True"]);
        assert_eq!(lab.root("h1", "kubeadm token list"), "");
    }
}
