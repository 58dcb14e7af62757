use std::fmt::Write as _;

use super::sample::{CA, THREE_HOSTS, bare, bare_fleet, initialised, inventory, joined, living_fleet, recipe};
use crate::facts::{ClusterFacts, Facts, File, InterfaceKind, Job};
use crate::plan::{Fleet, HostPlan, Plan, Recipe, Up};
use crate::steps::{Action, Change, Contents, Record, WriteFile};

/// What is wrong with a fleet, and how.
type Case = (&'static str, fn(&mut Fleet));

fn of<'a>(fleet: &'a mut Fleet, host: &str) -> &'a mut Facts {
    fleet.get_mut(host).unwrap()
}

fn command(action: &Action) -> String {
    match action {
        Action::Write(file) => format!("write {}", file.path),
        Action::Run(run) | Action::ComeBack(run) => run.command.clone(),
        Action::Capture(yields, run) => format!("{} -> {yields:?}", run.command),
        Action::Detach(job) => {
            let how = if job.follow_only { "follow" } else { "start" };
            let yields = job.yields.map(|yields| format!(" -> {yields:?}")).unwrap_or_default();
            format!("{how} {}{yields}", job.command)
        }
    }
}

/// What comes after the base of every host, a line a step that has something to do.
fn told(plan: &Plan) -> String {
    let mut told = String::new();
    for host in plan.hosts() {
        for planned in host.stages[1..].iter().flat_map(|stage| &stage.steps) {
            match &planned.change {
                Change::None { .. } => {}
                Change::Some { diff, actions, .. } => {
                    let commands = actions.iter().map(command).collect::<Vec<_>>().join("; ");
                    writeln!(told, "{} {}: {}: {commands}", host.host, planned.step, diff.join(", ")).unwrap();
                }
                Change::Refused { reason, .. } => {
                    writeln!(told, "{} {}: refused: {reason}", host.host, planned.step).unwrap();
                }
            }
        }
    }
    told
}

fn cases(begin: impl Fn(&Up) -> Fleet, cases: &[Case]) -> String {
    let mut all = String::new();
    for (name, change) in cases {
        let recipe = recipe(inventory(THREE_HOSTS));
        let mut fleet = begin(&recipe);
        change(&mut fleet);
        writeln!(all, "# {name}\n{}", told(&recipe.plan(&fleet))).unwrap();
    }
    all
}

/// Its init was cut; its API server is silent, and its etcd names these.
fn cut(facts: &mut Facts, names: Option<&[&str]>) {
    facts.jobs.insert("init".to_owned(), Job::Lost);
    facts.cluster = Some(ClusterFacts { unreachable: Some("refused".to_owned()), ..ClusterFacts::default() });
    facts.kubeadm.etcd_names = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn what_is_done_on_hosts_without_a_cluster() {
    insta::assert_snapshot!(cases(
        |_| bare_fleet(),
        &[
            ("bare", |_| {}),
            ("a worker is away", |fleet| drop(fleet.remove("h3"))),
            ("an init runs", |fleet| {
                of(fleet, "h1").jobs.insert("init".to_owned(), Job::Running);
            }),
            ("an init runs and has come far", |fleet| {
                initialised(of(fleet, "h1"));
                of(fleet, "h1").jobs.insert("init".to_owned(), Job::Running);
            }),
            ("an init failed early", |fleet| {
                of(fleet, "h1").jobs.insert("init".to_owned(), Job::Finished(1));
            }),
            ("an init was cut late", |fleet| {
                initialised(of(fleet, "h1"));
                cut(of(fleet, "h1"), Some(&["minions/h1", "deployments/kube-system/coredns"]));
            }),
            ("an init was cut late, and a worker has joined by hand", |fleet| {
                initialised(of(fleet, "h1"));
                cut(of(fleet, "h1"), Some(&["minions/h1", "minions/h2"]));
            }),
            ("an init was cut late, and its cluster runs something", |fleet| {
                initialised(of(fleet, "h1"));
                cut(of(fleet, "h1"), Some(&["deployments/default/shop", "minions/h1"]));
            }),
            ("an init was cut late, and its etcd cannot be read", |fleet| {
                initialised(of(fleet, "h1"));
                cut(of(fleet, "h1"), None);
            }),
            ("an init failed late, and its API server answers", |fleet| {
                initialised(of(fleet, "h1"));
                of(fleet, "h1").jobs.insert("init".to_owned(), Job::Finished(1));
                of(fleet, "h1").cluster = Some(ClusterFacts::default());
            }),
            ("a worker of another cluster", |fleet| joined(of(fleet, "h2"), "another CA")),
        ]
    ));
}

#[test]
fn what_is_done_on_a_cluster() {
    insta::assert_snapshot!(cases(
        living_fleet,
        &[
            ("as it should be", |_| {}),
            ("an init that nobody heard the end of", |fleet| {
                of(fleet, "h1").jobs.insert("init".to_owned(), Job::Finished(0));
            }),
            ("an init that failed, and yet is in use", |fleet| {
                of(fleet, "h1").jobs.insert("init".to_owned(), Job::Finished(1));
            }),
            ("a new worker", |fleet| drop(fleet.insert("h3".to_owned(), bare("h3")))),
            ("a join runs", |fleet| {
                fleet.insert("h3".to_owned(), bare("h3"));
                of(fleet, "h3").jobs.insert("join".to_owned(), Job::Running);
            }),
            ("a join failed before the kubelet had its own kubeconfig", |fleet| {
                fleet.insert("h3".to_owned(), bare("h3"));
                of(fleet, "h3").jobs.insert("join".to_owned(), Job::Finished(1));
            }),
            ("a join was cut after the kubelet had its own kubeconfig", |fleet| {
                let kubelet = of(fleet, "h3").kubeadm.kubeconfigs["kubelet"].clone();
                of(fleet, "h3").kubeadm.kubeconfigs.insert("bootstrap-kubelet".to_owned(), kubelet);
                of(fleet, "h3").jobs.insert("join".to_owned(), Job::Lost);
            }),
            ("a join that nobody heard the end of", |fleet| {
                of(fleet, "h3").jobs.insert("join".to_owned(), Job::Finished(0));
            }),
            ("a node was deleted", |fleet| {
                of(fleet, "h1").cluster.as_mut().unwrap().nodes.retain(|node| node.name != "h3");
            }),
            ("the API server does not answer", |fleet| {
                of(fleet, "h1").cluster =
                    Some(ClusterFacts { unreachable: Some("refused".to_owned()), ..ClusterFacts::default() });
            }),
            ("a worker has moved to another cluster", |fleet| joined(of(fleet, "h3"), "another CA")),
        ]
    ));
}

/// h3 has this address, and the cluster looks for it at these: as its InternalIP, as flannel's.
fn known_at(fleet: &mut Fleet, own: &str, known: [&str; 2]) {
    let way_out = of(fleet, "h3").interfaces.iter_mut().find(|interface| interface.kind == InterfaceKind::Network);
    way_out.unwrap().addresses = vec![format!("{own}/24").parse().unwrap()];
    let cluster = of(fleet, "h1").cluster.as_mut().unwrap();
    cluster.workloads[0].name = "kube-flannel-ds".to_owned();
    let node = cluster.nodes.iter_mut().find(|node| node.name == "h3").unwrap();
    [node.address, node.flannel_address] = known.map(|address| Some(address.to_owned()));
}

#[test]
fn a_worker_at_another_address_is_followed() {
    insta::assert_snapshot!(cases(
        living_fleet,
        &[
            ("where it was", |fleet| known_at(fleet, "10.88.0.13", ["10.88.0.13"; 2])),
            ("elsewhere", |fleet| known_at(fleet, "10.88.0.13", ["10.88.0.99"; 2])),
            ("the kubelet has told of it, flannel has not", |fleet| {
                known_at(fleet, "10.88.0.13", ["10.88.0.13", "10.88.0.99"]);
            }),
            ("flannel is another's leftover", |fleet| {
                known_at(fleet, "10.88.0.13", ["10.88.0.13", "10.88.0.99"]);
                of(fleet, "h1").cluster.as_mut().unwrap().workloads[0].name = "weave-net".to_owned();
            }),
            ("reached by way of a NAT", |fleet| known_at(fleet, "192.168.7.3", ["10.88.0.99"; 2])),
            ("called by the address that it had", |fleet| {
                known_at(fleet, "10.88.0.13", ["10.88.0.99"; 2]);
                of(fleet, "h3").kubeadm.node = Some("10.88.0.99".to_owned());
                let nodes = &mut of(fleet, "h1").cluster.as_mut().unwrap().nodes;
                nodes.iter_mut().find(|node| node.name == "h3").unwrap().name = "10.88.0.99".to_owned();
            }),
            ("of another family", |fleet| known_at(fleet, "10.88.0.13", ["fd00::13"; 2])),
            ("the host told no address", |fleet| {
                known_at(fleet, "10.88.0.13", ["10.88.0.99"; 2]);
                of(fleet, "h3").interfaces.clear();
            }),
        ]
    ));
    let recipe = recipe(inventory(THREE_HOSTS));
    let mut fleet = living_fleet(&recipe);
    known_at(&mut fleet, "10.88.0.13", ["10.88.0.99"; 2]);
    let own = recipe.expectation(&fleet).unwrap().addresses;
    assert_eq!(own.keys().collect::<Vec<_>>(), ["h3"], "only what is followed is waited for");
    assert!(own["h3"].contains(&"10.88.0.13".parse().unwrap()));
}

#[test]
fn a_single_node_needs_no_grant() {
    let alone = THREE_HOSTS.split("[[hosts]]\nname = \"h[2-3]\"").next().unwrap();
    let recipe = recipe(inventory(alone));
    let fleet: Fleet = [("h1".to_owned(), bare("h1"))].into();
    let plan = recipe.plan(&fleet);
    assert!(plan.hosts().all(|host| !host.needs_grant()));
    let expectation = recipe.expectation(&fleet).unwrap();
    assert_eq!((expectation.nodes, expectation.whole), (vec!["h1".to_owned()], true));
}

#[test]
fn only_a_cluster_that_stands_is_waited_for() {
    let recipe = recipe(inventory(THREE_HOSTS));
    let mut fleet = living_fleet(&recipe);
    assert_eq!(recipe.silent(&fleet), None);
    of(&mut fleet, "h1").cluster =
        Some(ClusterFacts { unreachable: Some("refused".to_owned()), ..ClusterFacts::default() });
    assert_eq!(recipe.silent(&fleet), Some("h1"));
    for job in [Job::Running, Job::Lost, Job::Finished(1)] {
        of(&mut fleet, "h1").jobs.insert("init".to_owned(), job);
        assert_eq!(recipe.silent(&fleet), None, "{job:?}");
    }
}

#[test]
fn a_join_waits_for_the_grant_and_the_base_for_nothing() {
    let recipe = recipe(inventory(THREE_HOSTS));
    let plan = recipe.plan(&bare_fleet());
    let needs: Vec<Vec<bool>> =
        plan.hosts().map(|host| host.stages.iter().map(|stage| stage.needs_grant()).collect()).collect();
    assert_eq!(needs[0], [false; 5]);
    assert_eq!(needs[1..], [[false, true], [false, true]]);
    assert_eq!(plan.hosts().map(HostPlan::yields_grant).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn a_host_has_one_record_of_all_its_changes_and_what_is_no_longer_so_is_forgotten() {
    let recipe = recipe(inventory(THREE_HOSTS));
    let mut fleet = bare_fleet();
    let written = |fleet: &Fleet| {
        let plan = recipe.plan(fleet);
        let records = plan.waves[0].hosts[1].planned().filter(|planned| planned.step == "record").collect::<Vec<_>>();
        let [Action::Write(WriteFile { contents: Contents::Text(text), .. })] = records[0].change.actions() else {
            panic!("{records:#?}")
        };
        assert_eq!(records.len(), 1);
        text.clone()
    };
    of(&mut fleet, "h2").files.insert(Record::PATH.to_owned(), File::Absent);
    let first = written(&fleet);
    assert!(first.contains("public 10250/tcp runtime") && first.contains("kubelet.service"), "{first}");

    let contents = first.replace("10250/tcp", "9999/tcp");
    let record = File::Present { contents, mode: 0o600, owner: "root:root".to_owned() };
    of(&mut fleet, "h2").files.insert(Record::PATH.to_owned(), record);
    assert_eq!(written(&fleet), first, "nobody has opened 9999 there");
}

#[test]
fn a_grant_is_held_against_the_ca_that_is_known() {
    let recipe = recipe(inventory(THREE_HOSTS));
    assert_eq!(recipe.plan(&bare_fleet()).ca, None);
    assert_eq!(recipe.plan(&living_fleet(&recipe)).ca.as_deref(), Some(CA));
}
