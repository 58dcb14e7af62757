//! The hard way, when etcd or the CA is lost: the cluster is made anew on its hosts.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::lab::Lab;
use crate::ran::Ran;
use crate::reinit::WORKLOAD;

const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

fn command(lab: &Lab, arguments: &[&str]) -> Command {
    let mut command = lab.kfleet(&["reinit", "--from-scratch", "--json", "-i"]);
    command.arg(lab.file("inventory.toml")).args(arguments);
    command
}

fn from_scratch(lab: &Lab, arguments: &[&str]) -> Ran {
    let since = Instant::now();
    let ran = command(lab, arguments).args(["--confirm", "lab"]).output().unwrap().into();
    eprint!("{} s from scratch; ", since.elapsed().as_secs());
    ran
}

/// `kfleet reinit --from-scratch`, killed when it tells of something.
fn killed_at(lab: &Lab, host: &str, point: &str) {
    let mut kfleet = command(lab, &["--confirm", "lab"]);
    let mut kfleet = kfleet.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(kfleet.stdout.take().unwrap()).lines();
    let host = format!("\"{host}\"");
    let reached = lines.map_while(Result::ok).any(|line| line.contains(point) && line.contains(&host));
    kfleet.kill().unwrap();
    kfleet.wait().unwrap();
    assert!(reached, "{point}");
}

/// What is in the cluster, and what makes it this one.
fn fingerprint(lab: &Lab) -> String {
    lab.root("h1", "openssl x509 -noout -fingerprint -sha256 -in /etc/kubernetes/pki/ca.crt")
}

/// Every host is a node of one new cluster, and pods reach each other over its network.
#[track_caller]
fn works(lab: &Lab) {
    assert_eq!(lab.nodes(), HOSTS.map(|host| format!("{host} True")));
    let manifest = "/etc/kubernetes/manifests/kube-controller-manager.yaml";
    assert_eq!(lab.root("h1", &format!("grep -o -e '--cluster-cidr=.*' {manifest}")), "--cluster-cidr=10.244.0.0/16");
    lab.apply(WORKLOAD);
    lab.kubectl("rollout status deployment/canary --timeout=120s");
    let pods = "get pods -n default -l app=canary -o 'jsonpath={range .items[*]}{.spec.nodeName} {.status.podIP}{\"\\n\"}{end}'";
    let pods = lab.kubectl(pods);
    let address = |host: &str| pods.lines().find_map(|line| line.strip_prefix(host)).unwrap().trim();
    for (from, to) in [("h2", "h3"), ("h3", "h2")] {
        lab.root(from, &format!("ping -c 2 -W 5 {}", address(to)));
    }
    let fetched = std::fs::read_to_string(lab.fetched_kubeconfig()).unwrap();
    lab.root("h1", &format!("cat > /run/fetched <<'END'\n{fetched}\nEND\nkubectl --kubeconfig /run/fetched get nodes"));
    lab.root("h1", "su ops -c 'kubectl get nodes'");
}

/// etcd's data is there, and no etcd makes anything of it.
fn lose_etcd(lab: &Lab) {
    lab.root("h1", "truncate -s 100 /var/lib/etcd/member/snap/db; pkill -9 -x etcd");
    lab.wait("the API to be gone", || lab.try_kubectl("get --raw /readyz --request-timeout=2s").code != 0);
}

#[test]
#[ignore = "needs the lab"]
fn a_cluster_whose_etcd_is_lost_is_made_anew_under_its_ca() {
    let lab = Lab::ready();
    let ca = fingerprint(&lab);
    lose_etcd(&lab);

    let unsaid = Ran::from(command(&lab, &[]).output().unwrap()).exits(2);
    assert!(unsaid.stderr.contains("--confirm lab"), "{unsaid}");
    let before = lab.traces(&HOSTS);
    let plan = Ran::from(command(&lab, &["--plan"]).output().unwrap()).exits(0);
    before.assert_same(&lab.traces(&HOSTS));
    assert!(plan.would_change().contains(&"h3 worker".to_owned()), "{plan}");

    // The first worker is on its way back, the second is still what it was.
    killed_at(&lab, "h2", "\"step\":\"worker\"");
    let h2 = lab.root("h2", "cat /var/lib/kfleet/scratch/phase");
    lab.root("h3", "test -e /etc/kubernetes/kubelet.conf && test ! -e /var/lib/kfleet/scratch");
    let init = "get ns kube-system -o 'jsonpath={.metadata.uid}'";
    let made = lab.kubectl(init);
    // Under the same CA its kubelet makes itself a node again, if it is started anew.
    lab.root("h3", "systemctl restart kubelet");
    lab.wait("h3 to register itself", || lab.nodes().iter().any(|node| node.starts_with("h3 ")));
    let rest = from_scratch(&lab, &[]).exits(0);
    assert!(rest.problems().contains(&"warning goes-on h1".to_owned()), "{rest}");
    assert!(
        !rest.changed().iter().any(|step| step.starts_with("h1 put-aside") || step == "h2 kubeadm-reset"),
        "{rest}"
    );
    assert_eq!((lab.root("h2", "cat /var/lib/kfleet/scratch/phase"), lab.kubectl(init)), (h2, made));

    assert_eq!(fingerprint(&lab), ca);
    works(&lab);
    let kept = lab.root("h1", "cd /var/lib/kfleet/scratch/2* && stat -c %a . && ls && ls etcd-member");
    assert_eq!(kept, "700\netc-kubernetes\netcd-member\nsnap\nwal");
    lab.up(&["--json"]).exits(0).nothing_changed();
}

#[test]
#[ignore = "needs the lab"]
fn labels_and_taints_are_put_back_under_a_new_ca() {
    let lab = Lab::ready();
    let ca = fingerprint(&lab);
    lab.kubectl("label node h2 disk=fast tier=");
    lab.kubectl("taint node h2 dedicated=gpu:PreferNoSchedule");
    lab.kubectl("taint node h1 node-role.kubernetes.io/master-");
    lab.kubectl("cordon h3");
    lab.root("h1", "rm /etc/kubernetes/pki/ca.key");

    // What was read is kept, when nobody can be asked any more.
    killed_at(&lab, "h1", "\"step\":\"kubeadm-reset\"");
    let up = lab.up(&["--json"]).exits(5);
    assert!(up.problems().contains(&"error made-anew h1".to_owned()), "{up}");
    // The join that goes on by itself is waited for, and its node gets what it had.
    killed_at(&lab, "h2", "\"step\":\"worker\"");
    from_scratch(&lab, &["--max-unavailable", "2"]).exits(0);
    assert_ne!(fingerprint(&lab), ca);
    assert_eq!(lab.kubectl("get nodes -l disk=fast,tier= -o name"), "node/h2");
    assert_eq!(lab.kubectl("get node h2 -o 'jsonpath={.spec.taints[*].key}'"), "dedicated");
    assert_eq!(lab.kubectl("get node h1 -o 'jsonpath={.spec.taints}'"), "");
    assert_eq!(lab.kubectl("get node h3 -o 'jsonpath={.spec.unschedulable}'"), "true");
    lab.kubectl("uncordon h3");
    lab.kubectl("taint node h1 node-role.kubernetes.io/master=:NoSchedule");
    works(&lab);
}

/// Where kfleet is killed; each must be told of in every run.
const POINTS: [(&str, &str); 7] = [
    ("h1", "\"step\":\"put-aside\""),
    ("h1", "the control plane is stopped"),
    ("h1", "\"step\":\"kubeadm-reset\""),
    ("h1", "\"step\":\"control-plane\""),
    ("h1", "\"step\":\"pod-network\""),
    ("h2", "\"step\":\"kubeadm-reset\""),
    ("h3", "\"step\":\"worker\""),
];

/// What takes too long for every run.
mod in_full {
    use super::*;

    #[test]
    #[ignore = "needs the lab"]
    fn one_that_is_killed_anywhere_goes_on() {
        let lab = Lab::ready();
        let ca = fingerprint(&lab);
        for (host, point) in POINTS {
            // etcd begins empty, and an API server answers that knows of nothing.
            lab.root("h1", "rm -rf /var/lib/etcd/member; pkill -9 -x etcd");
            killed_at(&lab, host, point);
            from_scratch(&lab, &[]).exits(0);
            assert_eq!(fingerprint(&lab), ca);
            works(&lab);
        }
    }

    #[test]
    #[ignore = "needs the lab"]
    fn a_worker_that_is_down_joins_the_new_cluster_later() {
        let lab = Lab::ready();
        lose_etcd(&lab);
        lab.script("stop", &["h3"]).exits(0);
        from_scratch(&lab, &[]).exits(4);
        assert_eq!(lab.nodes(), ["h1 True", "h2 True"]);
        lab.script("start", &["h3"]).exits(0);
        lab.wait("firewalld", || lab.try_root("h3", "firewall-cmd --state").code == 0);
        let rest = from_scratch(&lab, &[]).exits(0);
        assert!(rest.changed().iter().all(|step| step.starts_with("h3 ")), "{rest}");
        works(&lab);
    }
}
