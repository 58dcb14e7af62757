use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use semver::Version;

use super::shell_host::{Bench, run, script_of, step, write};
use crate::base::Interrupt;
use crate::cluster::JoinSpec;
use crate::engine::drive::{Desk, Drive};
use crate::engine::pulse::Pulse;
use crate::engine::run::Run;
use crate::engine::{Approval, Engine, Goal, Report, StateDir};
use crate::events::{FailureKind, Outcome};
use crate::facts::Facts;
use crate::plan::{HostPlan, Plan, Planned, Stage, Wave};
use crate::steps::{Action, Change, Contents, Yields};

const CA: &str = include_str!("../../../tests/fixtures/kubeadm/ca.crt");
const PIN: &str = include_str!("../../../tests/fixtures/kubeadm/ca.crt.pin");

/// A control plane that gives this grant, and two workers that write their JoinConfiguration into files of their names.
fn plan(bench: &Bench, before: &str, pin: &str) -> Plan {
    let join =
        format!("kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash {pin}");
    let grant = script_of(&format!("{before}\necho '{join}'\necho '{CA}'"));
    let control_plane = step("control-plane", vec![Action::Capture(Yields::JoinGrant, grant)]);
    let spec = |name: &str| JoinSpec {
        kubeadm: Version::new(1, 20, 2),
        node_name: name.to_owned(),
        cri_socket: None,
        node_ip: None,
    };
    let worker = |name: &str| {
        let file = write(&bench.path(name), Contents::JoinConfiguration(spec(name)), Some(0o600), None);
        host(name, vec![step("base", vec![run(&format!("echo {name} >> bases"))])], vec![step("worker", vec![file])])
    };
    let base = step("base", vec![run("echo h1 >> bases")]);
    let hosts = vec![host("h1", vec![base], vec![control_plane]), worker("h2"), worker("h3")];
    Plan { waves: vec![Wave::of(hosts)], ca: None }
}

pub(super) fn host(name: &str, base: Vec<Planned>, then: Vec<Planned>) -> HostPlan {
    HostPlan { host: name.to_owned(), record: None, stages: vec![Stage { steps: base }, Stage { steps: then }] }
}

pub(super) fn engine(bench: &Bench, interrupt: Interrupt) -> Engine {
    Engine {
        goal: Goal::Apply,
        approval: Approval::Given,
        lock: None,
        hosts: Vec::new(),
        events: Arc::clone(&bench.events),
        interrupt,
        parallel: 1,
        state: StateDir::at(bench.path("state")),
    }
}

async fn apply(bench: &Bench, plan: Plan, interrupt: Interrupt) -> Report {
    let engine = engine(bench, interrupt);
    let names: Vec<String> = plan.hosts().map(|host| host.host.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut run = Run::new(&engine);
    for name in &names {
        run.sessions.insert(name.clone(), bench.session(name));
        run.fleet.insert(name.clone(), Facts::default());
    }
    tokio::time::timeout(Duration::from_secs(20), run.apply(plan)).await.expect("nobody waits for ever");
    run.report(&names)
}

#[tokio::test]
async fn nothing_is_begun_under_a_lock_that_may_be_gone() {
    for (ago, done) in [(0, Some("base\nthen\n")), (31, None)] {
        let bench = Bench::new(1);
        let drive = Drive {
            session: bench.session("h1"),
            desk: Desk::Neither,
            interrupt: Interrupt::pair().1,
            pulse: Some(Pulse::heard(Pulse::now().saturating_sub(Duration::from_secs(ago)))),
            state: StateDir::at(bench.path("state")),
            ca: None,
        };
        let [base, then] = ["base", "then"].map(|name| vec![step(name, vec![run(&format!("echo {name} >>done"))])]);
        let tally = drive.go(&host("h1", base, then)).await;
        assert_eq!((bench.read("done").as_deref(), tally.failure.is_none()), (done, done.is_some()));
    }
}

fn failures(report: &Report) -> Vec<String> {
    let failure = |(host, tally): &(String, crate::events::Tally)| {
        tally.failure.as_ref().map(|failure| format!("{host}: {}", failure.reason))
    };
    report.tallies.iter().filter_map(failure).collect()
}

#[tokio::test]
async fn workers_join_by_the_grant_even_one_host_at_a_time() {
    for parallel in [1, 8] {
        let mut bench = Bench::new(parallel);
        let report = apply(&bench, plan(&bench, ":", PIN.trim()), Interrupt::pair().1).await;
        assert_eq!((failures(&report), report.outcome), (vec![], Outcome::Succeeded), "{parallel}");
        for name in ["h2", "h3"] {
            let file = bench.read(name).unwrap();
            assert!(file.contains("abcdef.0123456789abcdef") && file.contains(PIN.trim()) && file.contains(name));
        }
        let told = bench.told();
        // kubeadm is not there to revoke it: that is told, and fails nobody.
        let revoked = told.iter().position(|event| event == "problem-found h1").unwrap();
        let joined = told.iter().rposition(|event| event.starts_with("step-changed")).unwrap();
        assert!(joined < revoked, "{told:#?}");
    }
}

#[tokio::test]
async fn a_grant_that_pins_another_ca_reaches_no_worker() {
    let bench = Bench::new(8);
    let report = apply(&bench, plan(&bench, ":", &format!("sha256:{}", "ab".repeat(32))), Interrupt::pair().1).await;
    let failures = failures(&report);
    assert!(failures[0].starts_with("h1: the join command pins sha256:abab"), "{failures:?}");
    assert_eq!(failures[1..], ["h2: not joined: h1 failed", "h3: not joined: h1 failed"]);
    assert_eq!((bench.read("h2"), bench.read("h3")), (None, None));
}

#[tokio::test]
async fn the_ca_known_beforehand_counts_and_not_the_one_the_host_shows() {
    let bench = Bench::new(8);
    let other = crate::cluster::Authority::generate("kubernetes", "2026-11-23T20:45:00Z".parse().unwrap()).unwrap();
    let known = Plan { ca: Some(other.certificate().to_owned()), ..plan(&bench, ":", PIN.trim()) };
    let report = apply(&bench, known, Interrupt::pair().1).await;
    assert_eq!(failures(&report).len(), 3);
    assert_eq!(bench.read("h2"), None);
}

#[tokio::test]
async fn a_control_plane_that_fails_leaves_its_workers_with_their_base_and_a_reason() {
    let bench = Bench::new(1);
    let report = apply(&bench, plan(&bench, "echo 'no init today' >&2; exit 5", PIN.trim()), Interrupt::pair().1).await;
    assert_eq!(failures(&report), ["h1: the command failed", "h2: not joined: h1 failed", "h3: not joined: h1 failed"]);
    assert_eq!(report.outcome, Outcome::Failed(FailureKind::Step));
    let mut bases: Vec<String> = bench.read("bases").unwrap().lines().map(str::to_owned).collect();
    bases.sort();
    assert_eq!(bases, ["h1", "h2", "h3"]);
}

#[tokio::test]
async fn nothing_begins_after_an_interrupt_and_what_needs_nothing_does_not_fail() {
    let bench = Bench::new(8);
    let (switch, interrupt) = Interrupt::pair();
    switch.send_replace(true);
    let mut plan = plan(&bench, ":", PIN.trim());
    let nothing = Planned { step: "base", change: Change::none("as wanted"), passing: false };
    plan.waves[0].hosts.push(host("h4", vec![nothing], vec![]));
    let report = apply(&bench, plan, interrupt).await;
    let interrupted = ["h1", "h2", "h3"].map(|host| format!("{host}: interrupted before it began"));
    assert_eq!(failures(&report), interrupted);
    assert_eq!(report.outcome, Outcome::Failed(FailureKind::Deadline));
    assert_eq!(bench.read("bases"), None);
}

#[tokio::test]
async fn a_host_that_waits_for_its_turn_does_not_begin_after_an_interrupt() {
    let mut bench = Bench::new(1);
    let (switch, interrupt) = Interrupt::pair();
    let turn = bench.session("other").turn().await;
    let plan = plan(&bench, ":", PIN.trim());
    let report = {
        let ended = apply(&bench, plan, interrupt);
        tokio::pin!(ended);
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut ended).await.is_err());
        switch.send_replace(true);
        ended.await
    };
    drop(turn);
    assert_eq!(failures(&report).len(), 3);
    assert_eq!(bench.read("bases"), None);
    assert_eq!(bench.told().iter().filter(|event| *event == "interrupt-received").count(), 1);
}

#[tokio::test]
async fn a_host_that_preflight_left_out_is_not_touched() {
    let bench = Bench::new(8);
    let engine = engine(&bench, Interrupt::pair().1);
    let mut run = Run::new(&engine);
    for name in ["h1", "h2", "h3"] {
        run.sessions.insert(name.to_owned(), bench.session(name));
    }
    run.fleet.insert("h1".to_owned(), Facts::default());
    run.apply(plan(&bench, ":", PIN.trim())).await;
    assert_eq!((bench.read("bases").as_deref(), bench.read("h2")), (Some("h1\n"), None));
}

/// Each host appends its name to the file `order`; `bad` ones fail.
fn waves(bad: &[&str], may_fail: usize, waves: &[&[&str]]) -> Plan {
    let task = |name: &&str| {
        let verdict = if bad.contains(name) { "exit 5" } else { ":" };
        host(name, vec![step("work", vec![run(&format!("echo {name} >> order; {verdict}"))])], vec![])
    };
    let wave = |hosts: &&[&str]| Wave { hosts: hosts.iter().map(task).collect(), may_fail };
    Plan { waves: waves.iter().map(wave).collect(), ca: None }
}

#[tokio::test]
async fn a_wave_begins_when_the_one_before_it_has_ended_and_a_host_may_be_in_several() {
    let mut bench = Bench::new(8);
    let plan = waves(&[], 0, &[&["h1"], &["h2"], &["h1"]]);
    let report = apply(&bench, plan, Interrupt::pair().1).await;
    assert_eq!(bench.read("order").as_deref(), Some("h1\nh2\nh1\n"));
    let changed: Vec<usize> = report.tallies.iter().map(|(_, tally)| tally.changed.len()).collect();
    assert_eq!(changed, [2, 1]);
    let finished: Vec<String> = bench.told().into_iter().filter(|event| event.starts_with("host-finished")).collect();
    assert_eq!(finished, ["host-finished h2", "host-finished h1"]);
}

#[tokio::test]
async fn a_wave_that_failed_leaves_those_after_it_as_they_are() {
    let bench = Bench::new(1);
    let plan = waves(&["h2"], 0, &[&["h1"], &["h2"], &["h3"], &["h1"]]);
    let report = apply(&bench, plan, Interrupt::pair().1).await;
    assert_eq!(bench.read("order").as_deref(), Some("h1\nh2\n"));
    let left = "left as it is, because h2 failed before it";
    assert_eq!(failures(&report), [format!("h1: {left}"), "h2: the command failed".into(), format!("h3: {left}")]);
}

#[tokio::test]
async fn a_wave_may_spare_some_hosts_and_they_are_left_out_of_the_rest() {
    let bench = Bench::new(1);
    let plan = waves(&["h2"], 1, &[&["h2", "h3"], &["h2", "h4"]]);
    let report = apply(&bench, plan, Interrupt::pair().1).await;
    let mut order: Vec<String> = bench.read("order").unwrap().lines().map(str::to_owned).collect();
    order[..2].sort();
    assert_eq!(order, ["h2", "h3", "h4"]);
    assert_eq!(failures(&report), ["h2: the command failed"]);
}
