use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Semaphore;

use crate::base::{Tail, nonce, told};
use crate::events::{Event, Events, Failure};
use crate::facts::{ClusterFacts, Facts, Wanted};
use crate::host::{Connect, Stream};

use super::failure;
use super::session::{Session, Turn};

/// The longest that a host may take to tell its facts.
const PROBE: Duration = Duration::from_secs(60);
/// The most that a probe's output may hold, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;

/// Connects to a host and asks it for its facts.
pub async fn connect(
    host: Arc<dyn Connect>,
    wanted: Wanted,
    limit: Arc<Semaphore>,
    events: Events,
) -> Result<(Session, Facts), Failure> {
    let since = Instant::now();
    let connection = {
        let _turn = Turn::of(&limit).await;
        host.connect().await.map_err(|error| failure::of_host(&error, None))?
    };
    events.tell(Event::HostConnected { host: host.name().to_owned(), took: since.elapsed() });
    let session = Session::new(connection, host, limit, events);
    let facts = facts(&session, &wanted).await?;
    Ok((session, facts))
}

/// A host's facts, by one script.
pub async fn facts(session: &Session, wanted: &Wanted) -> Result<Facts, Failure> {
    let since = Instant::now();
    let nonce = nonce().map_err(|error| failure::of_workstation(&error.to_string()))?;
    let asked = SystemTime::now();
    let answer = ask(session, &wanted.script(&nonce)).await?;
    let facts = Facts::parse(&answer, &nonce, asked, SystemTime::now())
        .map_err(|error| failure::of_step("facts", &error.to_string()))?;
    session.tell(Event::FactsGathered { host: session.name().to_owned(), took: since.elapsed() });
    Ok(facts)
}

/// What the API server says now, asked on a control plane.
pub async fn cluster(session: &Session) -> Result<ClusterFacts, Failure> {
    let nonce = nonce().map_err(|error| failure::of_workstation(&error.to_string()))?;
    let answer = ask(session, &ClusterFacts::script(&nonce)).await?;
    ClusterFacts::parse(&answer, &nonce).map_err(|error| failure::of_step("facts", &error.to_string()))
}

async fn ask(session: &Session, script: &str) -> Result<Vec<u8>, Failure> {
    let mut stdout = Vec::new();
    let mut stderr = Vec::new();
    let mut output = |stream: Stream, bytes: &[u8]| {
        let buffer = match stream {
            Stream::Stdout => &mut stdout,
            Stream::Stderr => &mut stderr,
        };
        if buffer.len() + bytes.len() <= LARGEST_ANSWER {
            buffer.extend_from_slice(bytes);
        }
    };
    let turn = session.turn().await;
    let exit = session.exec(&turn, script.into(), PROBE, &mut output).await;
    let exit = exit.map_err(|error| failure::of_host(&error, Some("facts")))?;
    if !exit.success() {
        let mut last = Tail::of(10);
        String::from_utf8_lossy(&stderr).lines().for_each(|line| last.push(&told(line)));
        return Err(Failure {
            command: Some("/bin/sh (the probe)".to_owned()),
            status: Some(exit.to_string()),
            output: last.into_lines(),
            ..failure::of_step("facts", "the host could not be asked for its facts")
        });
    }
    Ok(stdout)
}

/// What becomes of each host, by name.
pub type PerHost<T> = BTreeMap<String, T>;
