//! The main job.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use regex::Regex;
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::ran::Ran;
use crate::watch::Watch;

const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

/// What was in /etc/hosts: a line of a Windows editor, tabs, and no end of the last line.
const HOSTS_FILE: &str =
    "127.0.0.1\tlocalhost\r\n127.0.1.1  \t h2 # résumé\n\n\n# 10.88.0.13 h3 is not here\r\n10.9.8.7 printer";

/// A bootstrap token, whole.
const TOKEN: &str = r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b";

#[test]
#[ignore = "needs the lab"]
fn bare_hosts_become_a_ready_cluster_and_a_second_run_changes_nothing() {
    let lab = Lab::bare(3);
    lab.root("h2", &format!("cat > /etc/hosts <<'END'\n{HOSTS_FILE}\nEND\ntruncate -s -1 /etc/hosts"));
    lab.root("h2", "chmod 640 /etc/hosts; chown root:ops /etc/hosts");

    let bare = lab.traces(&HOSTS);
    let plan = lab.plan(&["--json", "--detailed-exitcode"]).exits(6);
    assert!(plan.stdout.contains("+10.88.0.12 h2"), "the diff of /etc/hosts: {plan}");
    bare.assert_same(&lab.traces(&HOSTS));

    let watch = Watch::start();
    let up = lab.up(&["--json", "-v"]).exits(0);
    let argv = watch.end();
    assert_eq!(plan.would_change(), up.changed(), "what was planned is what was done");

    assert_eq!(up.failed(), [""; 0]);
    assert_eq!(lab.nodes(), ["h1 True", "h2 True", "h3 True"]);
    let available = "-n kube-system get deployment coredns -o 'jsonpath={.spec.replicas} {.status.availableReplicas}'";
    assert_eq!(lab.kubectl(available), "2 2");

    no_token_is_left(&lab);
    let token = Regex::new(TOKEN).unwrap();
    assert!(argv.iter().any(|argv| argv.starts_with("kubeadm join ")), "the watch has missed everything: {argv:#?}");
    assert_eq!(argv.iter().filter(|argv| token.is_match(argv)).collect::<Vec<_>>(), [""; 0], "in argv");
    assert!(up.stdout.contains(".***"), "-v shows what init printed, but for the token");
    for (name, output) in [("stdout", &up.stdout), ("stderr", &up.stderr)] {
        assert_eq!(token.find(output).map(|found| found.as_str()), None, "in {name}");
    }

    the_hosts_file_is_kept(&lab);
    for host in HOSTS {
        the_kernel_is_set(&lab, host);
        assert_eq!(lab.root(host, "systemctl is-enabled kubelet"), "enabled", "{host}");
        the_record_tells_what_was_before(&lab, host);
    }
    kubeconfigs_are_their_owners_alone(&lab);

    let (before, objects) = (lab.traces(&HOSTS), lab.objects());
    let again = lab.up(&["--json"]).exits(0);
    assert_eq!(again.changed(), [""; 0]);
    before.assert_same(&lab.traces(&HOSTS));
    lab.plan(&["--detailed-exitcode"]).exits(0);
    let again = lab.up(&[]).exits(0);
    assert!(again.stderr.contains("0 changed"), "{again}");
    before.assert_same(&lab.traces(&HOSTS));
    objects.assert_same(&lab.objects());

    let runs = lab.history(&[]);
    assert_eq!(runs.lines().filter(|run| run.ends_with(" ok")).count(), 5, "{runs}");
    let first = lab.history(&["show", "2", "-v"]);
    assert!(first.contains("h2: worker: changed"), "{first}");
    assert_eq!(token.find(&first), None, "in the record of the run");
}

fn no_token_is_left(lab: &Lab) {
    assert_eq!(lab.root("h1", "kubeadm token list"), "");
    for host in HOSTS {
        lab.root(host, "test ! -e /etc/kubernetes/bootstrap-kubelet.conf");
        // Programs of the containers hold what looks like one.
        let places = "/etc /home /root /run /tmp /var/lib/kfleet /var/lib/kubelet /var/log";
        let files = format!("grep -rlIE --exclude-dir=containerd --exclude-dir=pods '{TOKEN}' {places}");
        assert_eq!(lab.try_root(host, &files).stdout, "", "{host}: files");
        let journal = format!("journalctl --no-pager -o cat | grep -E '{TOKEN}'");
        assert_eq!(lab.try_root(host, &journal).stdout, "", "{host}: the journal");
    }
}

fn the_hosts_file_is_kept(lab: &Lab) {
    let block = "# BEGIN kfleet\n# Written by kfleet: what is changed between these two lines is lost.\n10.88.0.11 h1\n\
                 10.88.0.12 h2\n10.88.0.13 h3\n# END kfleet\n";
    assert_eq!(lab.script("root", &["h2", "cat", "/etc/hosts"]).stdout, format!("{HOSTS_FILE}\n{block}"));
    assert_eq!(lab.root("h2", "stat -c '%a %U:%G' /etc/hosts"), "640 root:ops");
    assert_eq!(lab.root("h3", "stat -c '%a %U:%G' /etc/hosts"), "644 root:root");
}

fn the_kernel_is_set(lab: &Lab, host: &str) {
    let sysctls = ["net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables"];
    for sysctl in sysctls {
        assert_eq!(lab.root(host, &format!("sysctl -n {sysctl}")), "1", "{host}: {sysctl}");
        lab.root(host, &format!("grep -qx '{sysctl} = 1' /etc/sysctl.d/99-kfleet.conf"));
    }
    for module in ["overlay", "br_netfilter"] {
        lab.root(host, &format!("grep -qx {module} /etc/modules-load.d/kfleet.conf"));
    }
}

fn the_record_tells_what_was_before(lab: &Lab, host: &str) {
    let modes = lab.root(host, "stat -c '%a %U:%G' /var/lib/kfleet /var/lib/kfleet/record.json");
    assert_eq!(modes, "700 root:root\n600 root:root", "{host}");
    let record: Value = serde_json::from_str(&lab.root(host, "cat /var/lib/kfleet/record.json")).unwrap();
    let entries = record["entries"].as_array().unwrap();
    // h2 alone had a last line without its end.
    let end = (host == "h2").then_some("no line end");
    for entry in [
        json!({ "kind": "sysctl", "item": "net.ipv4.ip_forward", "before": "0" }),
        json!({ "kind": "unit", "item": "kubelet.service", "before": "disabled" }),
        json!({ "kind": "block", "item": "/etc/hosts", "before": end }),
        json!({ "kind": "firewall-port", "item": "public 10250/tcp permanent", "before": null }),
    ] {
        assert!(entries.contains(&entry), "{host}: {entry} is not in {record:#}");
    }
}

fn kubeconfigs_are_their_owners_alone(lab: &Lab) {
    let fetched = lab.fetched_kubeconfig();
    assert_eq!(fetched.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // From the workstation's side, with the kubectl that the lab has built.
    let kubectl = lab.file("../../stages/kubernetes-node/out/kubectl");
    let arguments =
        [kubectl.to_str().unwrap(), "--kubeconfig", fetched.to_str().unwrap(), "get", "nodes", "-o", "name"];
    assert_eq!(lab.script("exec", &arguments).exits(0).stdout, "node/h1\nnode/h2\nnode/h3\n");

    assert_eq!(lab.root("h1", "stat -c '%a %U:%G' /home/ops/.kube/config"), "600 ops:ops");
    assert_eq!(lab.ssh("h1", "kubectl get nodes -o name").exits(0).stdout, "node/h1\nnode/h2\nnode/h3\n");
}

/// What takes too long for every run.
mod in_full {
    use super::*;

    #[test]
    #[ignore = "needs the lab"]
    fn a_cluster_whose_ca_was_made_on_the_workstation_is_pinned_to_it() {
        let lab = Lab::bare(2);
        let inventory = lab.inventory(&[("pod_cidr", "pki = \"workstation\"\npod_cidr")]);
        let mut command = lab.kfleet(&["up", "--json", "-v", "-i", inventory.to_str().unwrap()]);
        let passphrase = "correct horse battery staple";
        let up: Ran = command.env("KFLEET_CA_PASSPHRASE", passphrase).output().unwrap().into();
        let up = up.exits(0);
        assert!(!up.stdout.contains("PRIVATE KEY") && !up.stdout.contains(passphrase));
        assert_eq!(lab.nodes(), ["h1 True", "h2 True"]);

        let kept = |name: &str| fs::read_to_string(lab.fetched_kubeconfig().with_file_name(name)).unwrap();
        assert_eq!(lab.root("h1", "cat /etc/kubernetes/pki/ca.crt"), kept("ca.crt").trim_end());
        assert_eq!(lab.root("h2", "cat /etc/kubernetes/pki/ca.crt"), kept("ca.crt").trim_end());
        assert!(kept("ca.key.encrypted").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        assert_eq!(lab.root("h1", "stat -c %a /etc/kubernetes/pki/ca.key"), "600");
        // Nowhere else: not where kfleet has put it for init, and not on a worker.
        assert_eq!(lab.try_root("h1", "grep -rl 'PRIVATE KEY' /var/lib/kfleet /home /tmp /run/systemd").stdout, "");
        assert_eq!(lab.try_root("h2", "ls /etc/kubernetes/pki/ca.key").code, 2);
    }
}
