use std::time::{Duration, Instant};

use crate::doctor;
use crate::events::{Event, Failure, FailureKind};
use crate::plan::Expectation;

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
/// The name under which waiting for the cluster is told.
pub const STEP: &str = "ready";

/// Waits until the cluster shows what is expected of it.
///
/// # Errors
/// When it does not in time: what is missing, and why, as far as the cluster says.
pub async fn ready(session: &Session, expected: &Expectation, interrupt: &Interrupt) -> Result<(), Failure> {
    wait(session, READY, interrupt, |cluster| expected.missing(cluster)).await
}

/// Waits until the API server answers, which takes a while after its host booted.
///
/// # Errors
/// When it does not in time.
pub async fn answering(session: &Session, interrupt: &Interrupt) -> Result<(), Failure> {
    wait(session, ANSWER, interrupt, |cluster| cluster.unreachable.iter().cloned().collect()).await
}

async fn wait(
    session: &Session,
    longest: Duration,
    interrupt: &Interrupt,
    missing: impl Fn(&crate::facts::ClusterFacts) -> Vec<String>,
) -> Result<(), Failure> {
    let since = Instant::now();
    let host = session.name().to_owned();
    session.tell(Event::StepStarted { host: host.clone(), step: STEP.to_owned() });
    let mut last = String::new();
    loop {
        let cluster = gather::cluster(session).await?;
        let missing = missing(&cluster);
        let Some(first) = missing.first() else { return Ok(()) };
        if *first != last {
            last.clone_from(first);
            let message = told(first);
            session.tell(Event::StepProgressed { host: host.clone(), step: STEP.to_owned(), message });
        }
        if since.elapsed() > longest {
            let findings = doctor::not_ready(&cluster);
            return Err(Failure {
                kind: FailureKind::Deadline,
                output: missing.iter().map(|line| told(line)).collect(),
                hint: findings.first().map(|finding| told(&finding.reason)),
                ..failure::of_step(STEP, &format!("not ready within {} s", longest.as_secs()))
            });
        }
        if interrupt.or(tokio::time::sleep(PAUSE)).await.is_none() {
            return Err(failure::of_interrupt(Some(STEP)));
        }
    }
}
