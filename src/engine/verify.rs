use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::doctor;
use crate::events::{Event, Failure, FailureKind};
use crate::facts::ClusterFacts;
use crate::host::HostError;
use crate::plan::Expectation;

use super::diagnosis::{self, Diagnosis};
use super::failure;
use super::gather;
use super::session::Session;
use crate::base::{Interrupt, told};

/// The longest that a cluster may take to become ready after its last change.
const READY: Duration = Duration::from_secs(300);
/// The longest that an API server may take to answer after its host came up.
const ANSWER: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks at the hosts that are waited for.
const ROUND: Duration = Duration::from_secs(8);
/// How many of them must find a kubelet down: one that is started again is back in the next.
const DOWN: u32 = 3;
/// The name under which waiting for the cluster is told.
pub const STEP: &str = "ready";

/// Waits until the cluster shows what is expected of it, on the hosts of these nodes, by name; gives the hosts by which it does not, and
/// why.
///
/// A host whose connection is lost or whose kubelet does not stay up is not waited for any longer.
pub async fn ready(
    session: &Session,
    mut expected: Expectation,
    nodes: &BTreeMap<String, Session>,
    interrupt: &Interrupt,
) -> Vec<(String, Failure)> {
    let mut failed = Vec::new();
    let mut wait = Wait::of(session, READY);
    let mut rounds = Rounds::default();
    loop {
        let cluster = match gather::cluster(session).await {
            Ok(cluster) => cluster,
            Err(failure) => {
                failed.push((session.name().to_owned(), failure));
                return failed;
            }
        };
        for (node, failure) in rounds.look(&expected.waiting(&cluster), nodes).await {
            expected.leave_out(&node);
            failed.push((nodes[&node].name().to_owned(), failure));
        }
        match wait.round(&expected.missing(&cluster), &cluster, interrupt).await {
            ControlFlow::Continue(()) => {}
            ControlFlow::Break(Ok(())) => return failed,
            ControlFlow::Break(Err(failure)) => {
                // Nobody is blamed for another host's node.
                let waiting = if interrupt.is_set() { Vec::new() } else { expected.waiting(&cluster) };
                for node in waiting {
                    let Some(host) = nodes.get(&node) else { continue };
                    expected.leave_out(&node);
                    let of_node = |line: &&String| line.starts_with(&format!("node {node} "));
                    let output = failure.output.iter().filter(of_node).cloned().collect();
                    failed.push((host.name().to_owned(), Failure { output, ..failure.clone() }));
                }
                if !expected.missing(&cluster).is_empty() {
                    failed.push((session.name().to_owned(), failure));
                }
                return failed;
            }
        }
    }
}

/// Waits until the API server answers, which takes a while after its host booted.
///
/// # Errors
/// When it does not in time.
pub async fn answering(session: &Session, interrupt: &Interrupt) -> Result<(), Failure> {
    let mut wait = Wait::of(session, ANSWER);
    loop {
        let cluster = gather::cluster(session).await?;
        let missing: Vec<String> = cluster.unreachable.iter().cloned().collect();
        if let ControlFlow::Break(ended) = wait.round(&missing, &cluster, interrupt).await {
            return ended;
        }
    }
}

/// A wait for the cluster under way.
struct Wait<'a> {
    session: &'a Session,
    longest: Duration,
    since: Instant,
    last: String,
}

impl<'a> Wait<'a> {
    fn of(session: &'a Session, longest: Duration) -> Self {
        session.tell(Event::StepStarted { host: session.name().to_owned(), step: STEP.to_owned() });
        Self { session, longest, since: Instant::now(), last: String::new() }
    }

    /// Pauses where something is missing; ends it where nothing is, or for too long.
    async fn round(
        &mut self,
        missing: &[String],
        cluster: &ClusterFacts,
        interrupt: &Interrupt,
    ) -> ControlFlow<Result<(), Failure>> {
        let Some(first) = missing.first() else { return ControlFlow::Break(Ok(())) };
        if *first != self.last {
            self.last.clone_from(first);
            let (host, step, message) = (self.session.name().to_owned(), STEP.to_owned(), told(first));
            self.session.tell(Event::StepProgressed { host, step, message });
        }
        if self.since.elapsed() > self.longest {
            let findings = doctor::not_ready(cluster);
            return ControlFlow::Break(Err(Failure {
                kind: FailureKind::Deadline,
                output: missing.iter().map(|line| told(line)).collect(),
                hint: findings.first().map(|finding| told(&finding.reason)),
                ..failure::of_step(STEP, &format!("not ready within {} s", self.longest.as_secs()))
            }));
        }
        match interrupt.or(tokio::time::sleep(PAUSE)).await {
            Some(()) => ControlFlow::Continue(()),
            None => ControlFlow::Break(Err(failure::of_interrupt(Some(STEP)))),
        }
    }
}

/// Looks at the hosts whose nodes are waited for, now and then.
struct Rounds {
    last: Instant,
    /// How often in a row a node's kubelet was found not to run.
    down: BTreeMap<String, u32>,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { last: Instant::now(), down: BTreeMap::new() }
    }
}

impl Rounds {
    /// The nodes that will not come by waiting, and why.
    async fn look(&mut self, waiting: &[String], nodes: &BTreeMap<String, Session>) -> Vec<(String, Failure)> {
        let mut failed = Vec::new();
        if self.last.elapsed() < ROUND {
            return failed;
        }
        self.last = Instant::now();
        self.down.retain(|node, _| waiting.contains(node));
        for node in waiting {
            let Some(host) = nodes.get(node) else { continue };
            if !host.is_open() {
                let lost = HostError::Lost { reason: "while its node was waited for".to_owned() };
                failed.push((node.clone(), failure::of_host(&lost, Some(STEP))));
                continue;
            }
            let Some(diagnosis) = diagnosis::of_kubelet(host).await else {
                self.down.remove(node);
                continue;
            };
            let times = self.down.entry(node.clone()).or_default();
            *times += 1;
            if *times >= DOWN {
                let Diagnosis { reason, lines, hint } = diagnosis;
                failed.push((node.clone(), Failure { output: lines, hint, ..failure::of_step(STEP, &reason) }));
            }
        }
        failed
    }
}
