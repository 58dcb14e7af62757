//! Hosts that are not where they were, or not called what they were: followed, or left alone with the reason.

use std::fs;
use std::path::PathBuf;

use crate::lab::Lab;
use crate::ran::Ran;

const OLD: &str = "10.88.0.13";
const NEW: &str = "10.88.0.113";

/// A pod on each worker that answers.
const PODS: &str = r#"
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: canary, namespace: default}
spec:
  selector: {matchLabels: {app: canary}}
  template:
    metadata: {labels: {app: canary}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: toolbox, image: "docker.io/kfleet-lab/toolbox:stand-in", imagePullPolicy: Never}
"#;

/// The lab's inventory with h3 at its new address, where its host key is known.
fn inventory(lab: &Lab) -> PathBuf {
    let known = lab.file("known_hosts");
    let keys = fs::read_to_string(&known).unwrap();
    let of_new = |line: &str| line.strip_prefix(&format!("h3,{OLD} ")).map(|key| format!("{NEW} {key}\n"));
    let keys: String = keys.lines().filter_map(of_new).chain([keys.clone()]).collect();
    let keys = lab.written("moved_known_hosts", &keys);
    let (before, after) = (format!("\"{}\"", known.display()), format!("\"{}\"", keys.display()));
    lab.inventory(&[(&before, &after), ("10.88.0.[12-13]", "10.88.0.[12,113]")])
}

/// h3 gets its new address, the old one being gone first.
fn move_h3(lab: &Lab) {
    let way = format!(
        "ip address flush dev eth0; ip address add {NEW}/24 broadcast + dev eth0; ip route add default via 10.88.0.1"
    );
    lab.root("h3", &format!("{way}; echo {NEW}/24 > /etc/lab-address"));
}

/// Where the cluster looks for h3.
fn known_at(lab: &Lab) -> String {
    lab.kubectl(r#"get node h3 -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'"#)
}

/// Each canary pod, as `h3 10.244.2.3 CONTAINER RESTARTS`.
fn pods(lab: &Lab) -> Vec<String> {
    let pods = "get pods -l app=canary -o 'jsonpath={range .items[*]}{.spec.nodeName} {.status.podIP} \
                {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{\"\\n\"}{end}'";
    let mut pods: Vec<String> = lab.kubectl(pods).lines().map(str::to_owned).collect();
    pods.sort();
    pods
}

/// What stops a host or the run.
fn errors(ran: &Ran) -> Vec<String> {
    ran.problems().into_iter().filter(|problem| problem.starts_with("error ")).collect()
}

/// Whether a host reaches the pod on another.
fn reaches(lab: &Lab, from: &str, to: &str) -> bool {
    let pods = pods(lab);
    let address = pods.iter().find_map(|pod| pod.strip_prefix(to)?.split_whitespace().next()).unwrap();
    lab.try_root(from, &format!("ping -n -c 1 -W 2 {address}")).code == 0
}

#[test]
#[ignore = "needs the lab"]
fn a_worker_at_another_address_is_followed() {
    let lab = Lab::ready();
    lab.apply(PODS);
    lab.kubectl("rollout status daemonset/canary --timeout=90s");
    let before = pods(&lab);
    // As where the inventory has a node_ip.
    let flag = format!("sed -i 's/ARGS=\"/&--node-ip={OLD} /' /var/lib/kubelet/kubeadm-flags.env");
    lab.root("h3", &format!("{flag}; systemctl restart kubelet"));
    move_h3(&lab);
    lab.wait("h2 to lose the way to pods on h3", || !reaches(&lab, "h2", "h3"));

    let ran = lab.up_with(&inventory(&lab), &["--json"]).exits(0);
    assert_eq!(ran.changed(), ["h1 hosts-file", "h2 hosts-file", "h3 hosts-file", "h3 node-address"], "{ran}");
    assert_eq!(known_at(&lab), NEW);
    for host in ["h1", "h2", "h3"] {
        assert_eq!(
            lab.try_root(host, &format!("grep -rIlwF {OLD} /etc/hosts /var/lib/kubelet/kubeadm-flags.env")).stdout,
            ""
        );
    }
    assert!(lab.root("h3", "cat /var/lib/kubelet/kubeadm-flags.env").contains(&format!("--node-ip={NEW} ")));
    lab.wait("pods to be reached", || reaches(&lab, "h2", "h3") && reaches(&lab, "h3", "h2"));
    assert_eq!(pods(&lab), before, "pods go on");
    lab.up_with(&inventory(&lab), &["--json"]).exits(0).nothing_changed();
}

#[test]
#[ignore = "needs the lab"]
fn a_worker_that_moved_unknown_to_the_inventory_is_found_where_it_is() {
    let lab = Lab::ready();
    move_h3(&lab);
    lab.wait("its kubelet to be heard of", || known_at(&lab) == NEW);
    let ran = lab.up(&["--json"]).exits(4);
    assert!(ran.problems().contains(&"warning moved-away h3".to_owned()), "{ran}");
    ran.nothing_changed();
}

#[test]
#[ignore = "needs the lab"]
fn a_host_with_another_name_is_refused_with_the_reason() {
    let lab = Lab::ready();
    let rename = |host: &str, name: &str| lab.root(host, &format!("hostname {name}; echo {name} > /etc/hostname"));
    let hosts = ["h1", "h2", "h3"];

    rename("h3", "other");
    let (traces, objects) = (lab.traces(&hosts), lab.objects());
    let ran = lab.up(&["--json"]).exits(5);
    assert_eq!(errors(&ran), ["error renamed h3"], "{ran}");
    let failed = ran.failed();
    assert!(failed[0].starts_with("h3 step: it is called other now, and is node h3"), "{failed:?}");
    let reinit = || {
        let mut command = lab.kfleet(&["reinit", "--json", "-i"]);
        Ran::from(command.arg(lab.file("inventory.toml")).output().unwrap()).exits(5)
    };
    assert_eq!(errors(&reinit()), ["error renamed h3"]);
    traces.assert_same(&lab.traces(&hosts));
    rename("h3", "h3");

    rename("h1", "other");
    let traces = lab.traces(&hosts);
    for ran in [lab.up(&["--json"]).exits(5), lab.plan(&["--json"]).exits(5), reinit()] {
        assert_eq!(errors(&ran), ["error renamed h1"], "{ran}");
    }
    traces.assert_same(&lab.traces(&hosts));
    lab.objects().assert_same(&objects);
    rename("h1", "h1");
    lab.up(&["--json"]).exits(0).nothing_changed();
    lab.intact();
}
