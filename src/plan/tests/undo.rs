use std::fmt::Write as _;
use std::time::Duration;

use super::sample::{CA, THREE_HOSTS, bare, bare_fleet, initialised, inventory, joined, living_fleet, recipe};
use crate::facts::{Backup, ClusterFacts, Facts, File, Job};
use crate::plan::{Fleet, Plan, Recipe, Remove, Reset, Workstation};
use crate::steps::{Action, Begun, Change, Drain, Leave, Record, Recorded};

fn of<'a>(fleet: &'a mut Fleet, host: &str) -> &'a mut Facts {
    fleet.get_mut(host).unwrap()
}

/// Every host has a record of what was before.
fn recorded(mut fleet: Fleet) -> Fleet {
    for facts in fleet.values_mut() {
        let entries = [
            Recorded {
                kind: "sysctl".to_owned(),
                item: "net.ipv4.ip_forward".to_owned(),
                before: Some("0".to_owned()),
            },
            Recorded {
                kind: "unit".to_owned(),
                item: "kubelet.service".to_owned(),
                before: Some("disabled".to_owned()),
            },
        ];
        let contents = Record::default().merge(&entries).to_json();
        let file = File::Present { contents, mode: 0o600, owner: "root:root".to_owned() };
        facts.files.insert(Record::PATH.to_owned(), file);
        facts.sysctls.insert("net.ipv4.ip_forward".to_owned(), Some("1".to_owned()));
        facts.kubelet.enabled = true;
        facts.places.insert("/var/lib/kfleet".to_owned(), true);
        for path in ["/etc/modules-load.d/kfleet.conf", "/etc/sysctl.d/99-kfleet.conf"] {
            facts.files.insert(path.to_owned(), File::Absent);
        }
        let hosts = "127.0.0.1 localhost\n# BEGIN kfleet\n10.88.0.13 h3\n# END kfleet\n".to_owned();
        facts.files.insert(
            "/etc/hosts".to_owned(),
            File::Present { contents: hosts, mode: 0o644, owner: "root:root".to_owned() },
        );
    }
    fleet
}

/// A line a wave, then a line a step that has something to do.
fn told(plan: &Plan) -> String {
    let mut told = String::new();
    for (index, wave) in plan.waves.iter().enumerate() {
        writeln!(told, "wave {}", index + 1).unwrap();
        for host in &wave.hosts {
            for planned in host.planned() {
                match &planned.change {
                    Change::None { .. } => {}
                    Change::Refused { reason, .. } => {
                        writeln!(told, "  {} {}: refused: {reason}", host.host, planned.step).unwrap();
                    }
                    Change::Some { diff, actions, .. } => {
                        let commands: Vec<_> = actions.iter().map(command).collect();
                        let (step, diff) = (planned.step, diff.join(", "));
                        writeln!(told, "  {} {step}: {diff}: {}", host.host, commands.join("; ")).unwrap();
                    }
                }
            }
        }
    }
    told
}

fn command(action: &Action) -> String {
    match action {
        Action::Write(file) => format!("write {}", file.path),
        Action::Run(run) | Action::ComeBack(run) | Action::Capture(_, run) => run.command.clone(),
        Action::Detach(job) => format!("{} {}", if job.follow_only { "follow" } else { "start" }, job.command),
    }
}

fn findings(recipe: &dyn Recipe, fleet: &Fleet) -> String {
    let found = recipe.preflight(fleet);
    let line = |finding: &crate::doctor::Finding| {
        let host = finding.host.as_deref().unwrap_or("-");
        format!("{:?} {} {host}: {}\n", finding.severity, finding.check, finding.reason)
    };
    found.iter().map(line).collect()
}

fn living() -> Fleet {
    recorded(living_fleet(&recipe(inventory(THREE_HOSTS))))
}

type Case = (&'static str, fn(&mut Fleet));

#[test]
fn a_reset_takes_back_the_workers_first_and_only_what_is_this_clusters() {
    let cases: [Case; 9] = [
        ("a whole cluster", |_| {}),
        ("one with backups, and with an old cluster put aside", |fleet| {
            let backup = |taken: &str| Backup { taken: taken.parse().unwrap(), snapshot: Some(1), address: None };
            let h1 = of(fleet, "h1");
            h1.backups = Some(vec![backup("2026-11-20T08:00:00Z"), backup("2026-11-27T08:00:00Z")]);
            let begun = Begun { id: "20261127T014500Z".to_owned(), ..Begun::default() };
            let contents = begun.to_json().unwrap();
            let file = File::Present { contents, mode: 0o600, owner: "root:root".to_owned() };
            h1.files.insert(Begun::PATH.to_owned(), file);
        }),
        ("a worker is away", |fleet| drop(fleet.remove("h3"))),
        ("nothing was ever done", |fleet| *fleet = bare_fleet()),
        ("a worker of another cluster", |fleet| joined(of(fleet, "h3"), "another CA")),
        ("a worker has lost its record", |fleet| {
            of(fleet, "h3").files.insert(Record::PATH.to_owned(), File::Absent);
        }),
        ("a control plane that nobody knows", |fleet| {
            *fleet = bare_fleet();
            initialised(of(fleet, "h1"));
        }),
        ("a reset and a join run", |fleet| {
            of(fleet, "h2").jobs.insert("reset".to_owned(), Job::Running);
            of(fleet, "h3").jobs.insert("join".to_owned(), Job::Running);
        }),
        ("a record that nobody can read", |fleet| {
            let file = File::Unreadable { reason: "it is a directory".to_owned() };
            of(fleet, "h3").files.insert(Record::PATH.to_owned(), file);
        }),
    ];
    let mut all = String::new();
    for (name, change) in cases {
        let mut fleet = living();
        change(&mut fleet);
        let recipe = Reset::new(inventory(THREE_HOSTS), Workstation::default());
        writeln!(all, "# {name}\n{}{}", findings(&recipe, &fleet), told(&recipe.plan(&fleet))).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_worker_that_is_left_over_is_known_by_the_kubeconfig_that_was_kept() {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(CA);
    let kept = format!("    certificate-authority-data: {data}\n    server: https://10.88.0.11:6443\n");
    let workstation = Workstation { kubeconfig: Some(kept.into()), ..Workstation::default() };
    let mut fleet = bare_fleet();
    joined(of(&mut fleet, "h2"), CA);
    joined(of(&mut fleet, "h3"), "another CA");
    let told = told(&Reset::new(inventory(THREE_HOSTS), workstation).plan(&fleet));
    assert!(told.contains("h2 kubeadm-reset: "), "{told}");
    assert!(told.contains("h3 reset: refused: it is a node of another cluster"), "{told}");
}

const DRAIN: Leave =
    Leave::Drained(Drain { timeout: Duration::from_secs(300), delete_emptydir_data: false, force: false });

fn remove(leave: Leave) -> Remove {
    Remove::new(inventory(THREE_HOSTS), Workstation::default(), &["h3".to_owned()].into(), leave)
}

fn cluster_of(fleet: &mut Fleet) -> &mut ClusterFacts {
    of(fleet, "h1").cluster.as_mut().unwrap()
}

#[test]
fn a_worker_leaves_the_cluster_before_it_is_reset_and_the_others_forget_it() {
    let cases: [(Case, Leave); 11] = [
        (("a worker", |_| {}), DRAIN),
        (("its node is gone already", |fleet| cluster_of(fleet).nodes.retain(|node| node.name != "h3")), DRAIN),
        (
            ("all is done", |fleet| {
                fleet.insert("h3".to_owned(), bare("h3"));
                cluster_of(fleet).nodes.retain(|node| node.name != "h3");
            }),
            DRAIN,
        ),
        (("it is away", |fleet| drop(fleet.remove("h3"))), DRAIN),
        (("the control plane is away", |fleet| drop(fleet.remove("h1"))), DRAIN),
        (("there is no cluster", |fleet| *fleet = bare_fleet()), DRAIN),
        (
            ("it is dead", |fleet| {
                fleet.remove("h3");
                cluster_of(fleet).nodes[2].ready = false;
            }),
            Leave::Forgotten,
        ),
        (
            ("it is dead, and its node has the name that it is dialled by", |fleet| {
                fleet.remove("h3");
                let node = &mut cluster_of(fleet).nodes[2];
                (node.name, node.ready) = ("10.88.0.13".to_owned(), false);
            }),
            Leave::Forgotten,
        ),
        (
            ("it is dead, and nobody knows which node it was", |fleet| {
                fleet.remove("h3");
                let node = &mut cluster_of(fleet).nodes[2];
                (node.name, node.ready) = ("ip-10-0-0-13".to_owned(), false);
            }),
            Leave::Forgotten,
        ),
        (
            ("it is dead, and its node is gone already", |fleet| {
                fleet.remove("h3");
                cluster_of(fleet).nodes.truncate(2);
            }),
            Leave::Forgotten,
        ),
        (("it is not so dead", |fleet| drop(fleet.remove("h3"))), Leave::Forgotten),
    ];
    let mut all = String::new();
    for ((name, change), leave) in cases {
        let mut fleet = living();
        change(&mut fleet);
        let recipe = remove(leave);
        writeln!(all, "# {name}\n{}{}", findings(&recipe, &fleet), told(&recipe.plan(&fleet))).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn of_several_none_takes_the_pods_of_another() {
    let both = ["h2", "h3"].map(str::to_owned).into();
    let told = told(&Remove::new(inventory(THREE_HOSTS), Workstation::default(), &both, DRAIN).plan(&living()));
    let steps: Vec<&str> = told.lines().skip(1).take(3).map(|line| line.split_once(": ").unwrap().1).collect();
    assert_eq!(steps[0], "~ h2 and h3 take no new pods: kubectl cordon h2 h3");
    assert!(steps[1].starts_with("- node h2, drained first") && steps[2].starts_with("- node h3, "), "{told}");
}

#[test]
fn those_that_stay_and_were_ready_are_waited_for() {
    let mut fleet = living();
    fleet.insert("h2".to_owned(), living().remove("h2").unwrap());
    assert_eq!(remove(DRAIN).expectation(&fleet).unwrap().nodes, ["h1", "h2"]);
    cluster_of(&mut fleet).nodes[1].ready = false;
    assert_eq!(remove(DRAIN).expectation(&fleet).unwrap().nodes, ["h1"]);
}

#[test]
fn kubectl_is_told_in_its_own_words() {
    let leave = Leave::Drained(Drain { timeout: Duration::from_secs(90), delete_emptydir_data: true, force: true });
    for (version, flag) in [("1.19.16", "--delete-local-data"), ("1.20.2", "--delete-emptydir-data")] {
        let mut fleet = living();
        of(&mut fleet, "h1").packages.kubectl = Some(version.parse().unwrap());
        let plan = remove(leave).plan(&fleet);
        let wanted = format!("kubectl drain h3 --ignore-daemonsets --timeout=90s {flag} --force");
        assert!(told(&plan).contains(&wanted), "{}", told(&plan));
    }
    let plan = remove(Leave::Forgotten).plan(&living());
    let scripts = [remove(leave).plan(&living()), plan].map(|plan| {
        let [Action::Run(run)] = plan.waves[0].hosts[0].stages[0].steps[0].change.actions() else {
            panic!("{plan:#?}")
        };
        run.script.clone()
    });
    insta::assert_snapshot!(scripts.join("---\n"));
}
