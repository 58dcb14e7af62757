//! An inventory that wants a living cluster to be another one: `up` writes nothing.

use crate::lab::Lab;

const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

#[test]
#[ignore = "needs the lab"]
fn a_living_cluster_is_never_made_another_one() {
    let lab = Lab::ready();
    // A second address of h1, to which its API server could move.
    lab.root("h1", "ip address add 10.88.0.111/24 dev eth0");
    let (before, objects) = (lab.traces(&HOSTS), lab.objects());
    let cases = [
        (("10.244.0.0/16", "10.245.0.0/16"), "living-cluster-pod-network", "kfleet reset"),
        (("10.96.0.0/12", "10.112.0.0/12"), "living-cluster-service-network", "kfleet reset"),
        (("pod_cidr", "dns_domain = \"k8s.example.com\"\npod_cidr"), "living-cluster-dns-domain", "kfleet reset"),
        (("pod_cidr", "advertise_address = \"10.88.0.111\"\npod_cidr"), "living-cluster-address", "kfleet reinit"),
        (("\"1.20.2\"", "\"1.21.0\""), "living-cluster-version", "kfleet upgrade"),
    ];
    for (change, check, command) in cases {
        let up = lab.up_with(&lab.inventory(&[change]), &["--json"]).exits(5);
        let problems = up.events_of("problem-found");
        let problem = problems.iter().find(|problem| problem["check"] == check);
        let problem = problem.unwrap_or_else(|| panic!("{check} was not found: {problems:#?}"));
        assert!(problem["hint"].as_str().unwrap().contains(command), "{problem:#}");
        assert_eq!(up.events_of("step-started").len(), 0, "{check}");
        before.assert_same(&lab.traces(&HOSTS));
    }
    objects.assert_same(&lab.objects());
    lab.root("h1", "ip address delete 10.88.0.111/24 dev eth0");
    lab.intact();
}

#[test]
#[ignore = "needs the lab"]
fn a_cluster_in_use_is_not_made_anew_because_its_init_failed_once_and_its_api_is_silent() {
    let lab = Lab::ready();
    let objects = lab.objects();
    // As where somebody has completed by hand what kfleet's init did not, long ago.
    lab.root(
        "h1",
        "cd /var/lib/kfleet && mkdir -p jobs/init && echo 1 >jobs/init/status
         sha256sum /etc/kubernetes/pki/ca.crt >jobs/init/made
         systemctl stop kubelet && pkill -KILL -x kube-apiserver",
    );
    let up = lab.up(&["--json"]).exits(5);
    let problem =
        &up.events_of("problem-found").into_iter().find(|problem| problem["check"] == "control-plane").unwrap();
    let reason = problem["reason"].as_str().unwrap();
    assert!(reason.contains("its cluster is in use: it has "), "{up}");
    assert_eq!(up.events_of("step-started").len(), 0, "{up}");
    lab.root("h1", "rm -r /var/lib/kfleet/jobs/init && systemctl start kubelet");
    lab.wait_until_ready();
    objects.assert_same(&lab.objects());
    lab.intact();
}
