use std::fmt::Write;

use super::sample::{THREE_HOSTS, inventory, living_fleet, recipe};
use crate::facts::{ClusterFacts, Facts, File, Job, KubeadmState, Taint, Traces};
use crate::plan::{Fleet, FromScratch, FromScratchOptions, Recipe, Workstation, pod_network};
use crate::steps::{Begun, Change, Record};

/// Of a cluster of kubeadm's; good until 2036.
const CA: &str = include_str!("../../../tests/fixtures/kubeadm/ca.crt");
const PHASE: &str = "/var/lib/kfleet/scratch/phase";
const NOW: &str = "20261127T014500Z";

fn from_scratch(max_unavailable: usize) -> FromScratch {
    let inventory = inventory(THREE_HOSTS);
    let network = pod_network(&inventory, None).unwrap();
    let options = FromScratchOptions { max_unavailable, now: "2026-11-27T01:45:00Z".parse().unwrap() };
    FromScratch::new(inventory, Workstation::default(), network, options)
}

fn of<'a>(fleet: &'a mut Fleet, host: &str) -> &'a mut Facts {
    fleet.get_mut(host).unwrap()
}

fn present(contents: &str) -> File {
    File::Present { contents: contents.to_owned(), mode: 0o600, owner: "root:root".to_owned() }
}

fn has(facts: &mut Facts, path: &str, contents: &str) {
    facts.files.insert(path.to_owned(), present(contents));
}

/// Whose API server answers, and whose CA is sound.
fn alive() -> Fleet {
    let mut fleet = living_fleet(&recipe(inventory(THREE_HOSTS)));
    for facts in fleet.values_mut() {
        has(facts, "/etc/hosts", "127.0.0.1 localhost\n");
        has(facts, Record::PATH, "{\"version\":1,\"entries\":[]}");
        for kubeconfig in facts.kubeadm.kubeconfigs.values_mut() {
            kubeconfig.ca_certificate = Some(CA.to_owned());
        }
    }
    let h1 = of(&mut fleet, "h1");
    h1.kubeadm.ca_certificate = Some(CA.to_owned());
    h1.kubeadm.ca_key = true;
    h1.kubeadm.ca_key_fits = Some(true);
    let nodes = &mut h1.cluster.as_mut().unwrap().nodes;
    nodes[1].labels = [("disk", "fast"), ("kubernetes.io/hostname", "h2")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let taint = |key: &str| Taint { key: key.to_owned(), value: String::new(), effect: "NoSchedule".to_owned() };
    nodes[1].taints = vec![taint("dedicated"), taint("node.kubernetes.io/unreachable")];
    nodes[2].taints = vec![taint("node.kubernetes.io/unschedulable")];
    fleet
}

/// Whose API server is silent.
fn dead() -> Fleet {
    let mut fleet = alive();
    let unreachable = Some("connection refused".to_owned());
    of(&mut fleet, "h1").cluster = Some(ClusterFacts { unreachable, ..ClusterFacts::default() });
    fleet
}

/// Cut after the control plane was made anew and while h2 was joining.
fn cut() -> Fleet {
    let mut fleet = alive();
    let begun = from_scratch(1).view(&fleet).begun;
    let h1 = of(&mut fleet, "h1");
    has(h1, Begun::PATH, &Begun { id: "1".to_owned(), ..begun }.to_json().unwrap());
    has(h1, PHASE, "1 reset\n");
    let cluster = h1.cluster.as_mut().unwrap();
    cluster.nodes.truncate(1);
    let h2 = of(&mut fleet, "h2");
    h2.kubeadm = KubeadmState::default();
    has(h2, PHASE, "1 reset\n");
    fleet
}

/// What the doctor says of hosts that are copies of one.
const OF_EVERY_RUN: [&str; 5] =
    ["address-absent", "clock", "clock-of-workstation", "machine-id-twice", "product-uuid-missing"];

/// What is found, and the waves with what is done in them.
fn told(recipe: &FromScratch, fleet: &Fleet) -> String {
    let mut told = String::new();
    for finding in recipe.preflight(fleet).into_iter().filter(|finding| !OF_EVERY_RUN.contains(&finding.check)) {
        let host = finding.host.as_deref().unwrap_or("all");
        writeln!(told, "{:?} {} {host}: {}", finding.severity, finding.check, finding.reason).unwrap();
    }
    if told.contains("Error ") {
        return told;
    }
    let plan = recipe.plan(fleet);
    for (number, wave) in plan.waves.iter().enumerate() {
        for host in &wave.hosts {
            for planned in host.planned() {
                let what = match &planned.change {
                    Change::Some { diff, .. } => diff.join(", "),
                    Change::Refused { reason, .. } => format!("refused: {reason}"),
                    Change::None { .. } => continue,
                };
                let of_up = ["record", "firewall", "hosts-file", "kernel", "kubelet-unit"];
                if !of_up.contains(&planned.step) {
                    writeln!(told, "{} {} {}: {what}", number + 1, host.host, planned.step).unwrap();
                }
            }
        }
    }
    if plan.ca.is_some() {
        writeln!(told, "a join is held against the CA").unwrap();
    }
    told
}

type Case = (&'static str, fn() -> Fleet, fn(&mut Fleet), usize);

#[test]
fn a_cluster_is_made_anew_host_by_host() {
    let cases: &[Case] = &[
        ("etcd is lost", dead, |_| {}, 1),
        (
            "etcd is lost, and a second look finds a new one that is empty",
            dead,
            |fleet| of(fleet, "h1").cluster = Some(ClusterFacts::default()),
            2,
        ),
        ("nothing is lost", alive, |_| {}, 1),
        ("the CA's key is lost", alive, |fleet| of(fleet, "h1").kubeadm.ca_key = false, 2),
        ("the CA's key is another's", dead, |fleet| of(fleet, "h1").kubeadm.ca_key_fits = Some(false), 2),
        (
            "another pod network than the inventory's",
            dead,
            |fleet| of(fleet, "h1").kubeadm.manifests.as_mut().unwrap().pod_cidr = Some("10.99.0.0/16".to_owned()),
            2,
        ),
        (
            "the control plane was installed anew, and workers know the networks",
            dead,
            |fleet| {
                let h1 = of(fleet, "h1");
                h1.kubeadm = KubeadmState::default();
                h1.cluster = None;
                has(h1, Record::PATH, "");
                h1.files.insert(Record::PATH.to_owned(), File::Absent);
                has(of(fleet, "h2"), "/run/flannel/subnet.env", "FLANNEL_NETWORK=10.99.0.0/16\n");
                has(of(fleet, "h3"), "/var/lib/kubelet/config.yaml", "clusterDNS:\n- 10.43.0.10\nclusterDomain: x\n");
            },
            2,
        ),
        (
            "a worker is another cluster's",
            dead,
            |fleet| {
                let kubelet = of(fleet, "h3").kubeadm.kubeconfigs.get_mut("kubelet").unwrap();
                kubelet.ca_certificate = Some(super::sample::CA.to_owned());
            },
            1,
        ),
        (
            "one of several control planes, and etcd is silent",
            dead,
            |fleet| of(fleet, "h1").kubeadm.etcd_cluster = ["h1", "m2"].map(str::to_owned).into(),
            1,
        ),
        (
            "its API server knows more flags and names than kfleet's",
            dead,
            |fleet| {
                let state = &mut of(fleet, "h1").kubeadm;
                state.api_server_extras = ["--audit-log-path", "--oidc-issuer-url"].map(str::to_owned).into();
                let names = ["kubernetes.default", "H1", "10.96.0.1", "10.88.0.11", "api.example.com", "203.0.113.7"];
                state.api_server_names = names.map(str::to_owned).into();
            },
            1,
        ),
        (
            "one of several members",
            dead,
            |fleet| of(fleet, "h1").traces = Some(Traces { etcd_members: 3, ..Traces::default() }),
            1,
        ),
        ("a worker is down", dead, |fleet| drop(fleet.remove("h3")), 1),
        ("cut while a worker joined", cut, |_| {}, 1),
        (
            "cut, and the join that was begun goes on",
            cut,
            |fleet| {
                of(fleet, "h2").jobs.insert("join".to_owned(), Job::Running);
            },
            1,
        ),
        (
            "cut while the control plane was made",
            cut,
            |fleet| {
                let h1 = of(fleet, "h1");
                h1.kubeadm = KubeadmState::default();
                h1.cluster = None;
                h1.jobs.insert("init".to_owned(), Job::Running);
            },
            2,
        ),
        (
            "cut while it was put aside",
            cut,
            |fleet| {
                has(of(fleet, "h1"), PHASE, "1 aside\n");
                of(fleet, "h2").files.remove(PHASE);
            },
            2,
        ),
        ("done in another run", cut, |fleet| has(of(fleet, "h1"), PHASE, "1 done 0\n"), 2),
        ("no cluster", || super::sample::bare_fleet(), |_| {}, 1),
    ];
    let mut all = String::new();
    for (name, begin, change, max_unavailable) in cases {
        let mut fleet = begin();
        change(&mut fleet);
        writeln!(all, "# {name}\n{}", told(&from_scratch(*max_unavailable), &fleet)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_done_in_this_run_is_done() {
    let mut fleet = alive();
    let begun = from_scratch(1).view(&fleet).begun;
    let h1 = of(&mut fleet, "h1");
    has(h1, Begun::PATH, &begun.to_json().unwrap());
    has(h1, PHASE, &format!("{NOW} done {NOW}"));
    for worker in ["h2", "h3"] {
        has(of(&mut fleet, worker), PHASE, &format!("{NOW} reset"));
    }
    let plan = from_scratch(1).plan(&fleet);
    for planned in plan.hosts().flat_map(|host| host.planned()).filter(|planned| !planned.passing) {
        let of_up = ["firewall", "hosts-file", "kernel", "kubelet-unit", "admin-kubeconfig"];
        assert!(planned.change.actions().is_empty() || of_up.contains(&planned.step), "{planned:?}");
    }
}
