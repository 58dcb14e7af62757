//! Runs as the engine tells them, for the goldens.

use std::time::Duration;

use jiff::Timestamp;

use crate::events::{Event, Failure, FailureKind, Holder, Outcome, PlannedAction, Reply, Severity, Tally, ToChange};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn started(hosts: &[&str]) -> Event {
    let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
    Event::RunStarted { command: "up".into(), cluster: "lab".into(), hosts }
}

fn connected(host: &str) -> [Event; 2] {
    [
        Event::HostConnected { host: host.into(), took: ms(84) },
        Event::FactsGathered { host: host.into(), took: ms(310) },
    ]
}

fn begun(host: &str, step: &str) -> Event {
    Event::StepStarted { host: host.into(), step: step.into() }
}

fn progress(host: &str, step: &str, message: &str) -> Event {
    Event::StepProgressed { host: host.into(), step: step.into(), message: message.into() }
}

fn output(host: &str, step: &str, line: &str) -> Event {
    Event::OutputReceived { host: host.into(), step: step.into(), line: line.into() }
}

fn changed(host: &str, step: &str, diff: &[&str], took: u64) -> Event {
    let diff = diff.iter().map(|&line| line.to_owned()).collect();
    Event::StepChanged { host: host.into(), step: step.into(), diff, took: ms(took) }
}

fn unchanged(host: &str, step: &str, why: &str) -> Event {
    Event::StepUnchanged { host: host.into(), step: step.into(), why: why.into() }
}

fn finished(host: &str, tally: &Tally) -> Event {
    Event::HostFinished { host: host.into(), tally: tally.clone() }
}

fn tally(changed: &[&str], unchanged: usize, took: u64) -> Tally {
    let changed = changed.iter().map(|&step| step.to_owned()).collect();
    Tally { changed, unchanged, failure: None, took: ms(took) }
}

fn problem(host: Option<&str>, severity: Severity, check: &str, reason: &str, hint: Option<&str>) -> Event {
    Event::ProblemFound {
        host: host.map(str::to_owned),
        severity,
        check: check.into(),
        reason: reason.into(),
        hint: hint.map(str::to_owned),
    }
}

fn over(outcome: Outcome, tallies: &[(&str, Tally)], took: u64) -> Event {
    let tallies = tallies.iter().map(|(host, tally)| ((*host).to_owned(), tally.clone())).collect();
    Event::RunFinished { outcome, tallies, took: ms(took) }
}

fn kubeconfig() -> Event {
    Event::FileSaved { what: "kubeconfig".into(), path: "/home/ops/.local/state/kfleet/lab/admin.conf".into() }
}

fn planned(host: &str, step: &str, diff: &[&str], actions: &[(&str, &[&str])]) -> Event {
    let lines = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
    let action = |&(what, diff): &(&str, &[&str])| PlannedAction { what: what.to_owned(), diff: lines(diff) };
    let actions = actions.iter().map(action).collect();
    Event::StepPlanned { host: host.into(), step: step.into(), diff: lines(diff), actions }
}

fn plan_over(outcome: Outcome, tallies: &[(&str, Tally)]) -> Event {
    let tallies = tallies.iter().map(|(host, tally)| ((*host).to_owned(), tally.clone())).collect();
    Event::PlanFinished { outcome, tallies, took: ms(420) }
}

/// What `up` would do on two hosts, one of which needs nothing.
pub(super) fn plan() -> Vec<Event> {
    let mut events = vec![Event::RunStarted {
        command: "plan".into(),
        cluster: "lab".into(),
        hosts: vec!["h1".into(), "h2".into()],
    }];
    events.extend(["h1", "h2"].iter().flat_map(|host| connected(host)));
    events.push(unchanged("h1", "hosts-file", "the block is as it should be"));
    let file = ["@@ -1,2 +1,3 @@", " 127.0.0.1 localhost", "+10.88.0.11 h1", " ::1 localhost"];
    events.push(planned("h2", "hosts-file", &["+ 10.88.0.11 h1"], &[("write /etc/hosts", &file)]));
    let sysctl = ["net.ipv4.ip_forward: 0 → 1"];
    events.push(planned("h2", "kernel", &sysctl, &[("sysctl -p /etc/sysctl.d/99-kfleet.conf", &[])]));
    events.push(plan_over(
        Outcome::Succeeded,
        &[("h1", tally(&[], 1, 0)), ("h2", tally(&["hosts-file", "kernel"], 0, 0))],
    ));
    events
}

fn approval(confirm: Option<&str>, changes: &[(&str, &[&str])]) -> Event {
    let change = |(host, steps): &(&str, &[&str])| ToChange {
        host: (*host).to_owned(),
        steps: steps.iter().map(|&step| step.to_owned()).collect(),
    };
    Event::ApprovalAsked { confirm: confirm.map(str::to_owned), changes: changes.iter().map(change).collect() }
}

/// Somebody is asked whether three bare hosts are to become a cluster, and says this.
pub(super) fn asked(reply: Reply) -> Vec<Event> {
    let mut events = vec![started(&["h1", "h2", "h3"])];
    events.extend(["h1", "h2", "h3"].iter().flat_map(|host| connected(host)));
    let worker = ["hosts-file", "kernel", "firewall", "worker"];
    let control_plane = ["hosts-file", "kernel", "firewall", "control-plane", "pod-network"];
    events.push(approval(None, &[("h1", &control_plane), ("h2", &worker), ("h3", &worker)]));
    events.push(Event::ApprovalAnswered { reply });
    if reply != Reply::Yes {
        let untouched = ["h1", "h2", "h3"].map(|host| (host, tally(&[], 0, 0)));
        events.push(over(Outcome::Failed(FailureKind::Local), &untouched, 4_200));
    }
    events
}

/// Three bare hosts become a cluster.
pub(super) fn up() -> Vec<Event> {
    let mut events = vec![started(&["h1", "h2", "h3"])];
    events.extend(["h1", "h2", "h3"].iter().flat_map(|host| connected(host)));
    let hosts = ["+ 10.88.0.11 h1", "+ 10.88.0.12 h2", "+ 10.88.0.13 h3"];
    for host in ["h1", "h2", "h3"] {
        events.push(begun(host, "hosts-file"));
        events.push(changed(host, "hosts-file", &hosts, 120));
        events.push(unchanged(host, "kernel", "modules and sysctls are as Kubernetes needs them"));
    }
    events.push(changed(
        "h1",
        "firewall",
        &[
            "+ 6443/tcp",
            "+ 10250/tcp",
            "+ 8285-8472/udp",
            "+ trusted: cni0",
            "+ trusted: flannel.1",
            "+ a",
            "+ b",
            "+ c",
        ],
        840,
    ));
    events.push(begun("h1", "control-plane"));
    events.push(output("h1", "control-plane", "[init] Using Kubernetes version: v1.20.2"));
    events.push(output("h1", "control-plane", "[certs] Generating \"ca\" certificate and key"));
    events.push(progress("h1", "control-plane", "[certs] Generating \"ca\" certificate and key"));
    events.push(progress("h1", "control-plane", "[control-plane] Creating static Pod manifest for \"kube-apiserver\""));
    events.push(changed("h1", "control-plane", &["kubeadm init"], 31_200));
    events.push(kubeconfig());
    events.push(changed("h1", "pod-network", &["+ flannel"], 1_900));
    let master = tally(&["hosts-file", "firewall", "control-plane", "pod-network"], 1, 45_000);
    let worker = tally(&["hosts-file", "worker"], 1, 47_400);
    for host in ["h2", "h3"] {
        events.push(begun(host, "worker"));
        events.push(changed(host, "worker", &["kubeadm join 10.88.0.11:6443"], 9_960));
        events.push(finished(host, &worker));
    }
    events.push(finished("h1", &master));
    events.push(over(Outcome::Succeeded, &[("h1", master), ("h2", worker.clone()), ("h3", worker)], 47_800));
    events
}

/// A second `up`.
pub(super) fn again() -> Vec<Event> {
    let mut events = vec![started(&["h1", "h2"])];
    events.extend(["h1", "h2"].iter().flat_map(|host| connected(host)));
    let idle = tally(&[], 2, 2_140);
    for host in ["h1", "h2"] {
        events.push(unchanged(host, "hosts-file", "/etc/hosts has all 2 hosts"));
        events.push(unchanged(host, "kernel", "modules and sysctls are as Kubernetes needs them"));
        events.push(finished(host, &idle));
    }
    events.push(kubeconfig());
    events.push(over(Outcome::Succeeded, &[("h1", idle.clone()), ("h2", idle)], 2_200));
    events
}

fn unreachable() -> Failure {
    Failure {
        kind: FailureKind::Unreachable,
        step: None,
        reason: "cannot connect to 10.88.0.13 port 22: no route to host".into(),
        command: None,
        status: None,
        output: Vec::new(),
        hint: Some("is the host up, and does a firewall reject ssh?".into()),
    }
}

/// One of three cannot be reached.
pub(super) fn worker_down() -> Vec<Event> {
    let mut events = vec![started(&["h1", "h2", "h3"])];
    events.extend(["h1", "h2"].iter().flat_map(|host| connected(host)));
    let down = Tally { failure: Some(unreachable()), took: ms(3_020), ..Tally::default() };
    events.push(Event::HostFailed { host: "h3".into(), failure: unreachable() });
    events.push(finished("h3", &down));
    let (master, worker) = (tally(&["control-plane"], 4, 41_000), tally(&["worker"], 3, 44_000));
    events.push(finished("h1", &master));
    events.push(finished("h2", &worker));
    events.push(over(
        Outcome::Failed(FailureKind::Unreachable),
        &[("h1", master), ("h2", worker), ("h3", down)],
        44_500,
    ));
    events
}

fn init_failure() -> Failure {
    Failure {
        kind: FailureKind::Step,
        step: Some("control-plane".into()),
        reason: "kubeadm init failed".into(),
        command: Some("kubeadm init --config /var/lib/kfleet/jobs/init/kubeadm.yaml".into()),
        status: Some("exit status 1".into()),
        output: [
            "[init] Using Kubernetes version: v1.20.2",
            "[preflight] Running pre-flight checks",
            "    [WARNING Firewalld]: firewalld is active, please ensure ports [6443 10250] are open or your cluster may not function correctly",
            "error execution phase preflight: [preflight] Some fatal errors occurred:",
            "    [ERROR Port-6443]: Port 6443 is in use",
        ]
        .map(str::to_owned)
        .to_vec(),
        hint: Some("something on h1 listens on port 6443 already: `ss -ltnp sport = :6443` there names it".into()),
    }
}

/// `kubeadm init` fails; the worker then has nothing to join.
pub(super) fn init_fails() -> Vec<Event> {
    let mut events = vec![started(&["h1", "h2"])];
    events.extend(["h1", "h2"].iter().flat_map(|host| connected(host)));
    events.push(begun("h1", "control-plane"));
    events.push(Event::HostFailed { host: "h1".into(), failure: init_failure() });
    let master = Tally { failure: Some(init_failure()), ..tally(&["hosts-file", "firewall"], 3, 4_100) };
    events.push(finished("h1", &master));
    let waiting = Failure {
        step: Some("worker".into()),
        reason: "there is no control plane to join: h1 failed".into(),
        command: None,
        status: None,
        output: Vec::new(),
        hint: None,
        ..init_failure()
    };
    events.push(Event::HostFailed { host: "h2".into(), failure: waiting.clone() });
    let worker = Tally { failure: Some(waiting), ..tally(&["hosts-file"], 3, 4_200) };
    events.push(finished("h2", &worker));
    events.push(over(Outcome::Failed(FailureKind::Step), &[("h1", master), ("h2", worker)], 4_300));
    events
}

/// Preflight stops the run before anything is written.
pub(super) fn problems() -> Vec<Event> {
    let mut events = vec![started(&["h1", "h2"])];
    events.extend(["h1", "h2"].iter().flat_map(|host| connected(host)));
    events.push(problem(
        Some("h2"),
        Severity::Warning,
        "clock",
        "is 4 s behind the workstation",
        Some("start chronyd or systemd-timesyncd"),
    ));
    events.push(problem(
        Some("h1"),
        Severity::Error,
        "swap",
        "swap is on: /dev/sda2, and kubelet refuses to start with it",
        Some("swapoff -a, and take the line out of /etc/fstab"),
    ));
    events.push(problem(None, Severity::Error, "machine-id", "h1 and h2 have the same machine-id", None));
    let none = Tally::default();
    events.push(over(Outcome::Failed(FailureKind::Step), &[("h1", none.clone()), ("h2", none)], 700));
    events
}

/// Ctrl-C while init runs.
pub(super) fn interrupt() -> Vec<Event> {
    let mut events = vec![started(&["h1", "h2"])];
    events.extend(["h1", "h2"].iter().flat_map(|host| connected(host)));
    events.push(begun("h1", "control-plane"));
    let waiting_for = vec![("h1".into(), "kubeadm init".into())];
    events.push(Event::InterruptReceived { waiting_for });
    let cut = Failure {
        kind: FailureKind::Deadline,
        step: None,
        reason: "interrupted".into(),
        command: None,
        status: None,
        output: Vec::new(),
        hint: None,
    };
    let worker = Tally { failure: Some(cut), took: ms(9_000), ..Tally::default() };
    let master = tally(&["control-plane"], 3, 29_000);
    events.push(over(Outcome::Failed(FailureKind::Deadline), &[("h1", master), ("h2", worker)], 29_100));
    events
}

/// A fleet in the midst of it: a few done, one failed, some at work, most waiting.
pub(super) fn two_hundred() -> Vec<Event> {
    let names: Vec<String> = (1..=200).map(|number| format!("node{number:03}")).collect();
    let mut events = vec![started(&names.iter().map(String::as_str).collect::<Vec<_>>())];
    for (index, name) in names.iter().enumerate() {
        if index == 7 {
            events.push(Event::HostFailed { host: name.clone(), failure: unreachable() });
            continue;
        }
        events.extend(connected(name));
        events.push(begun(name, "hosts-file"));
        events.push(changed(name, "hosts-file", &["+ 200 hosts"], 130));
        match index {
            0 => events.push(progress(
                name,
                "control-plane",
                "[certs] Generating \"etcd/peer\" certificate and key, which is a long line",
            )),
            1..=20 => events.push(finished(name, &tally(&["hosts-file"], 5, 2_000))),
            21..=150 => events.push(begun(name, "firewall")),
            _ => {}
        }
    }
    events
}

/// Every event once, with every field filled.
pub(super) fn one_of_each() -> Vec<Event> {
    let mut events = vec![started(&["h1"])];
    events.extend(connected("h1"));
    events.push(problem(None, Severity::Warning, "clock", "clocks are 4 s apart", Some("start chronyd")));
    events.push(begun("h1", "firewall"));
    events.push(progress("h1", "firewall", "opening ports"));
    events.push(unchanged("h1", "kernel", "as wanted"));
    events.push(changed("h1", "firewall", &["+ 6443/tcp", "+ \u{9b}31m"], 1_234));
    events.push(Event::HostFailed { host: "h1".into(), failure: init_failure() });
    events.push(finished("h1", &tally(&["firewall"], 1, 61_500)));
    events.push(kubeconfig());
    events.push(Event::HostNoted { host: "h1".into(), note: "API away: 9.1 s".into() });
    events.push(Event::InterruptReceived { waiting_for: vec![("h1".into(), "kubeadm init".into())] });
    events.push(over(Outcome::Succeeded, &[("h1", tally(&["firewall"], 1, 61_500))], 62_000));
    events.push(over(Outcome::Failed(FailureKind::Unreachable), &[], 0));
    events.push(planned("h1", "hosts-file", &["+ 10.88.0.11 h1"], &[("write /etc/hosts", &["+10.88.0.11 h1"])]));
    events.push(plan_over(Outcome::Succeeded, &[("h1", tally(&["hosts-file"], 0, 0))]));
    events.push(Event::TransferStarted { command: "copy".into(), hosts: vec!["h1".into()] });
    events.push(approval(None, &[("h1", &["hosts-file", "kernel"])]));
    events.push(approval(Some("lab"), &[]));
    events.push(Event::ApprovalAnswered { reply: Reply::Yes });
    events.extend(locks());
    events
}

/// A file copied to three hosts: one has it, and one has no room for it.
pub(super) fn copy() -> Vec<Event> {
    let failure = Failure {
        kind: FailureKind::Step,
        step: Some("copy".into()),
        reason: "cannot take the files: no space left on device".into(),
        command: None,
        status: None,
        output: vec!["tar: 0: Wrote only 7680 of 10240 bytes".into()],
        hint: Some("make room there and run it again".into()),
    };
    let failed = Tally { failure: Some(failure.clone()), ..tally(&[], 0, 2_000) };
    let (sent, same) = (tally(&["1 path (200 MB)"], 0, 9_400), tally(&[], 1, 400));
    let hosts = ["h1", "h2", "h3"].map(str::to_owned).to_vec();
    vec![
        Event::TransferStarted { command: "copy".into(), hosts },
        begun("h1", "copy"),
        begun("h2", "copy"),
        begun("h3", "copy"),
        Event::BytesMoved { host: "h1".into(), step: "copy".into(), done: 50_000_000, total: 200_000_000 },
        unchanged("h2", "copy", "1 path is as it should be in /srv"),
        finished("h2", &same),
        Event::HostFailed { host: "h3".into(), failure },
        finished("h3", &failed),
        changed("h1", "copy", &["+ /srv/image"], 9_400),
        finished("h1", &sent),
        over(Outcome::Failed(FailureKind::Step), &[("h1", sent), ("h2", same), ("h3", failed)], 9_500),
    ]
}

fn holder(user: &str) -> Holder {
    Holder {
        user: user.to_owned(),
        workstation: "desk".into(),
        command: "up".into(),
        since: Timestamp::UNIX_EPOCH,
        run: Some(12),
    }
}

/// Somebody else is at work, or was and left something behind; or the way to the lock was cut.
pub(super) fn locks() -> Vec<Event> {
    let still_running = vec![("h2".to_owned(), "kfleet-join.service".to_owned())];
    vec![
        Event::LockRefused { host: "h1".into(), holder: Some(holder("ops")), still_running: vec![] },
        Event::LockRefused { host: "h1".into(), holder: Some(holder("ops")), still_running },
        Event::LockRefused { host: "h1".into(), holder: None, still_running: vec![] },
        Event::LockLost { host: "h1".into(), reason: "no sign of life from the host for 30 s".into() },
        Event::PlanChanged { hosts: vec!["h1".into(), "h2".into()] },
    ]
}

/// Every text of every event tries to clear the screen, to set the title and to be read backwards.
pub(super) fn hostile() -> Vec<Event> {
    let bad = || "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\u{9b}31m\u{202e}x".to_owned();
    let failure = Failure {
        kind: FailureKind::Step,
        step: Some(bad()),
        reason: bad(),
        command: Some(bad()),
        status: Some(bad()),
        output: vec![bad(), bad()],
        hint: Some(bad()),
    };
    let tally = Tally { changed: vec![bad()], unchanged: 0, failure: Some(failure.clone()), took: ms(1) };
    vec![
        Event::RunStarted { command: bad(), cluster: bad(), hosts: vec![bad()] },
        Event::TransferStarted { command: bad(), hosts: vec![bad()] },
        Event::BytesMoved { host: bad(), step: bad(), done: 1, total: 2 },
        Event::HostConnected { host: bad(), took: ms(1) },
        Event::FactsGathered { host: bad(), took: ms(1) },
        problem(Some(&bad()), Severity::Error, &bad(), &bad(), Some(&bad())),
        begun(&bad(), &bad()),
        output(&bad(), &bad(), &bad()),
        unchanged(&bad(), &bad(), &bad()),
        changed(&bad(), &bad(), &[&bad()], 1),
        Event::HostFailed { host: bad(), failure },
        Event::FileSaved { what: bad(), path: bad().into() },
        Event::HostNoted { host: bad(), note: bad() },
        Event::InterruptReceived { waiting_for: vec![(bad(), bad())] },
        progress("h2", &bad(), &bad()),
        Event::HostFinished { host: bad(), tally: tally.clone() },
        Event::RunFinished { outcome: Outcome::Succeeded, tallies: vec![(bad(), tally.clone())], took: ms(1) },
        planned(&bad(), &bad(), &[&bad()], &[(&bad(), &[&bad()])]),
        approval(Some(&bad()), &[(&bad(), &[&bad()])]),
        Event::ApprovalAnswered { reply: Reply::None },
        Event::LockRefused { host: bad(), holder: Some(holder(&bad())), still_running: vec![(bad(), bad())] },
        Event::LockLost { host: bad(), reason: bad() },
        Event::PlanChanged { hosts: vec![bad()] },
        Event::PlanFinished { outcome: Outcome::Succeeded, tallies: vec![(bad(), tally)], took: ms(1) },
    ]
}
