use std::fmt::Write;

use super::sample::{THREE_HOSTS, inventory, living_fleet, recipe};
use crate::facts::{Backup, Facts, File, Job, Traces};
use crate::plan::{Fleet, Recipe, Restore, pod_network};
use crate::steps::{Action, Change, Record, ReinitProgress, RestoreProgress};

const FOLLOWED: &str = "/var/lib/kfleet/reinit/restored";

fn restore(backup: Option<&str>) -> Restore {
    let inventory = inventory(THREE_HOSTS);
    let network = pod_network(&inventory, None).unwrap();
    Restore::new(inventory, network, backup.map(str::to_owned), "2026-11-28T04:40:00Z".parse().unwrap())
}

fn backup(taken: &str, snapshot: Option<u64>, address: &str) -> Backup {
    Backup { taken: taken.parse().unwrap(), snapshot, address: address.parse().ok() }
}

fn write(facts: &mut Facts, path: &str, contents: &str) {
    let file = File::Present { contents: contents.to_owned(), mode: 0o600, owner: "root:root".to_owned() };
    facts.files.insert(path.to_owned(), file);
}

/// Cut in this state, the second of two backups having been chosen.
fn cut(fleet: &mut Fleet, state: &str) {
    let record = format!(
        "id=20261127T090000Z\nbackup=/var/lib/kfleet/reinit/backup-20261127T080000Z\naside=/var/lib/etcd/member-before\nstate={state}\n"
    );
    write(fleet.get_mut("h1").unwrap(), RestoreProgress::PATH, &record);
}

/// A cluster that was at 10.88.0.50 before, with three backups, the last one without a snapshot.
fn kept() -> Fleet {
    let mut fleet = living_fleet(&recipe(inventory(THREE_HOSTS)));
    for facts in fleet.values_mut() {
        facts.files.insert(Record::PATH.to_owned(), File::Absent);
    }
    let h1 = fleet.get_mut("h1").unwrap();
    h1.traces = Some(Traces::default());
    h1.backups = Some(vec![
        backup("2026-11-20T08:00:00Z", Some(9_000), "10.88.0.11"),
        backup("2026-11-27T08:00:00Z", Some(30 << 20), "10.88.0.50"),
        backup("2026-11-27T09:00:00Z", None, "10.88.0.11"),
    ]);
    fleet
}

/// What is found, and what changes in which wave.
fn told(recipe: &Restore, fleet: &Fleet) -> String {
    let mut told = String::new();
    for finding in recipe.preflight(fleet).into_iter().filter(|finding| finding.check != "clock") {
        writeln!(told, "! {}: {} ({})", finding.check, finding.reason, finding.hint.unwrap_or_default()).unwrap();
    }
    for (number, wave) in recipe.plan(fleet).waves.iter().enumerate() {
        for host in &wave.hosts {
            for planned in host.planned().filter(|planned| planned.step != "record") {
                match &planned.change {
                    Change::Some { diff, .. } => {
                        writeln!(told, "{} {} {}:\n  {}", number + 1, host.host, planned.step, diff.join("\n  "))
                            .unwrap();
                    }
                    Change::Refused { reason, hint } => {
                        writeln!(told, "{} {} {}: refused: {reason} ({hint})", number + 1, host.host, planned.step)
                            .unwrap();
                    }
                    Change::None { why } => {
                        writeln!(told, "{} {} {}: unchanged: {why}", number + 1, host.host, planned.step).unwrap();
                    }
                }
            }
        }
    }
    told
}

type Case = (&'static str, Option<&'static str>, fn(&mut Fleet));

#[test]
fn etcd_goes_back_and_the_fleet_with_it() {
    let cases: &[Case] = &[
        ("the last snapshot", None, |_| {}),
        ("one that is named", Some("backup-20261120T080000Z"), |_| {}),
        ("one that is not there", Some("backup-20261127T090000Z"), |_| {}),
        ("no backup at all", None, |fleet| fleet.get_mut("h1").unwrap().backups = Some(Vec::new())),
        ("cut before the control plane was stopped", None, |fleet| cut(fleet, "prepared")),
        ("its job runs still", None, |fleet| {
            cut(fleet, "prepared");
            fleet.get_mut("h1").unwrap().jobs.insert("reinit".to_owned(), Job::Running);
        }),
        ("one worker is left", None, |fleet| {
            cut(fleet, "restored");
            write(fleet.get_mut("h2").unwrap(), FOLLOWED, "20261127T090000Z\n");
        }),
        ("another one is cut", Some("backup-20261120T080000Z"), |fleet| cut(fleet, "swapped")),
        ("done, and once more", None, |fleet| {
            cut(fleet, "done");
            write(fleet.get_mut("h2").unwrap(), FOLLOWED, "20261127T090000Z\n");
        }),
        ("done by this run", None, |fleet| {
            cut(fleet, "done\ndone_by=20261128T044000Z");
            for host in ["h2", "h3"] {
                write(fleet.get_mut(host).unwrap(), FOLLOWED, "20261127T090000Z\n");
            }
        }),
        ("a worker is down", None, |fleet| drop(fleet.remove("h3"))),
        ("a change of address is at work", None, |fleet| {
            fleet.get_mut("h1").unwrap().jobs.insert("reinit".to_owned(), Job::Running);
        }),
        ("a change of address was cut", None, |fleet| {
            let record =
                "from=10.88.0.50\nto=10.88.0.11\nbackup=/var/lib/kfleet/reinit/backup-1\nrestore=\nstate=staged\n";
            write(fleet.get_mut("h1").unwrap(), ReinitProgress::PATH, record);
        }),
        ("its address is gone", None, |fleet| fleet.get_mut("h1").unwrap().interfaces.clear()),
        ("several members", None, |fleet| {
            fleet.get_mut("h1").unwrap().traces = Some(Traces { etcd_members: 2, ..Traces::default() });
        }),
        ("several members, and etcd is silent", None, |fleet| {
            fleet.get_mut("h1").unwrap().kubeadm.etcd_cluster = ["h1", "m2"].map(str::to_owned).into();
        }),
        ("without kubectl", None, |fleet| fleet.get_mut("h1").unwrap().packages.kubectl = None),
        ("no cluster", None, |fleet| fleet.get_mut("h1").unwrap().kubeadm.manifests = None),
    ];
    let mut all = String::new();
    for (name, backup, change) in cases {
        let mut fleet = kept();
        change(&mut fleet);
        writeln!(all, "# {name}\n{}", told(&restore(*backup), &fleet)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn one_that_was_cut_keeps_its_own_id() {
    let id = |fleet: &Fleet| {
        let plan = restore(None).plan(fleet);
        let actions: Vec<&Action> =
            plan.hosts().flat_map(|host| host.planned()).flat_map(|it| it.change.actions()).collect();
        let scripts = actions.into_iter().filter_map(|action| match action {
            Action::Detach(job) => Some(&job.script),
            Action::Run(run) => Some(&run.script),
            _ => None,
        });
        let ids: Vec<String> = scripts
            .filter_map(|script| Some(script.lines().find_map(|line| line.strip_prefix("id="))?.to_owned()))
            .collect();
        ids
    };
    let mut fleet = kept();
    assert_eq!(id(&fleet), ["20261128T044000Z"; 3]);
    cut(&mut fleet, "swapped");
    assert_eq!(id(&fleet), ["20261127T090000Z"; 3]);
    cut(&mut fleet, "done");
    assert_eq!(id(&fleet), ["20261128T044000Z"; 3]);
}
