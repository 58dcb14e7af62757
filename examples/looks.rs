//! A made-up run, to look at a face without hosts: `cargo run --example looks [HOSTS] [--json | --plain] [-v]`.

use std::time::Duration;
use std::{env, io};

use kfleet::events::{self, Event, Events, Failure, FailureKind, Outcome, Tally};
use kfleet::ui::{Look, show};
use tokio::time::sleep;

const STEPS: [&str; 5] = ["hosts-file", "kernel", "firewall", "kubelet", "worker"];

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let number = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(3);
    let look = Look {
        json: asked("--json"),
        verbose: asked("-v"),
        terminal: true,
        colour: !asked("--plain"),
        width: Some(80),
    };
    let (sink, receiver) = events::channel();
    let shown = tokio::spawn(show(receiver, look, io::stdout(), io::stderr()));
    run(sink, number).await;
    shown.await?
}

async fn run(sink: Events, number: u64) {
    let hosts: Vec<String> = (1..=number).map(|index| format!("node{index:03}")).collect();
    sink.tell(Event::RunStarted { command: "up".into(), cluster: "looks".into(), hosts: hosts.clone() });
    let mut tallies = Vec::new();
    for (index, host) in (0..).zip(&hosts) {
        tallies.push(tokio::spawn(work(sink.clone(), host.clone(), index)));
    }
    let mut results = Vec::new();
    for (host, tally) in hosts.into_iter().zip(tallies) {
        results.push((host, tally.await.unwrap_or_default()));
    }
    let failures = results.iter().filter_map(|(_, tally)| tally.failure.as_ref().map(|failure| failure.kind));
    let outcome = Outcome::of(failures);
    sink.tell(Event::RunFinished { outcome, tallies: results, took: Duration::from_secs(12) });
}

/// One host's part, at a pace of its own; every seventh fails.
async fn work(sink: Events, host: String, index: u64) -> Tally {
    let pace = Duration::from_millis(150 + index * 7919 % 600);
    sleep(pace * 2).await;
    sink.tell(Event::HostConnected { host: host.clone(), took: pace });
    sleep(pace).await;
    sink.tell(Event::FactsGathered { host: host.clone(), took: pace });
    let mut tally = Tally { took: pace * 20, ..Tally::default() };
    for step in STEPS.map(str::to_owned) {
        sink.tell(Event::StepStarted { host: host.clone(), step: step.clone() });
        for phase in ["[preflight] Running pre-flight checks", "[kubelet-start] Starting the kubelet"] {
            sleep(pace).await;
            sink.tell(Event::OutputReceived { host: host.clone(), step: step.clone(), line: phase.into() });
            sink.tell(Event::StepProgressed { host: host.clone(), step: step.clone(), message: phase.into() });
        }
        if index % 7 == 6 && step == "kubelet" {
            let failure = failure(step);
            sink.tell(Event::HostFailed { host: host.clone(), failure: failure.clone() });
            tally.failure = Some(failure);
            break;
        }
        sleep(pace).await;
        sink.tell(Event::StepChanged {
            host: host.clone(),
            step: step.clone(),
            diff: vec!["+ one".into()],
            took: pace * 3,
        });
        tally.changed.push(step);
    }
    sink.tell(Event::HostFinished { host, tally: tally.clone() });
    tally
}

fn failure(step: String) -> Failure {
    Failure {
        kind: FailureKind::Step,
        step: Some(step),
        reason: "kubelet does not start".into(),
        command: Some("systemctl enable --now kubelet".into()),
        status: Some("exit status 1".into()),
        output: vec!["Failed to enable unit: Unit file kubelet.service does not exist.".into()],
        hint: Some("is the kubelet installed?".into()),
    }
}
