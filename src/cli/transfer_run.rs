use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::Interrupt;
use crate::events::{Event, Events, Failure, FailureKind, Outcome, Tally, channel};
use crate::fanout::{Ended, Fanout, Miss};
use crate::host::{Host, HostError};
use crate::transfer::{Change, Copied, How, Progress, TransferError};
use crate::ui::{Look, show, size};

use super::Exit;
use super::fanout_args::FanoutArgs;
use super::signals::Signals;
use super::targets::Targets;

/// A transfer to or from many hosts, and how it is shown.
pub(super) struct TransferRun<'a> {
    /// `copy` or `fetch`.
    pub(super) command: &'static str,
    pub(super) targets: Targets,
    pub(super) fanout: &'a FanoutArgs,
    pub(super) look: Look,
    /// Whether it is only told what would be done.
    pub(super) dry: bool,
}

/// How often a person is told how far a host is.
const BREATH: Duration = Duration::from_millis(200);

impl TransferRun<'_> {
    /// Does `work` for every host, until the end or a second Ctrl-C. `work` gets the host's place among the targets.
    pub(super) async fn drive<W, F>(self, work: W) -> Exit
    where
        W: Fn(usize, Arc<dyn Host>, Progress) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Copied, TransferError>> + Send + 'static,
    {
        let (events, told) = channel();
        let (switch, interrupt) = Interrupt::pair();
        let shown = tokio::spawn(show(told, self.look, io::stdout(), io::stderr()));
        let well = Mutex::new(BTreeSet::new());
        let transferring = self.transfer(&events, interrupt, work, &well);
        let mut signals = Signals::new();
        let outcome = tokio::select! {
            outcome = transferring => Some(outcome),
            () = async {
                signals.next().await;
                switch.send_replace(true);
                events.tell(Event::InterruptReceived { waiting_for: Vec::new() });
                signals.next().await;
            } => None,
        };
        drop(events);
        self.remember(&well);
        let Some(outcome) = outcome else {
            let _ = tokio::time::timeout(Duration::from_secs(1), shown).await;
            return Exit::Run(Outcome::Failed(FailureKind::Deadline));
        };
        match shown.await {
            Ok(written) if outcome == Outcome::Succeeded => Exit::written(&written),
            _ => Exit::Run(outcome),
        }
    }

    /// `well` gets the places of the hosts that are done.
    async fn transfer<W, F>(
        &self,
        events: &Events,
        interrupt: Interrupt,
        work: W,
        well: &Mutex<BTreeSet<usize>>,
    ) -> Outcome
    where
        W: Fn(usize, Arc<dyn Host>, Progress) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Copied, TransferError>> + Send + 'static,
    {
        let began = Instant::now();
        let (command, names) = (self.command, Arc::new(self.targets.names.clone()));
        events.tell(Event::TransferStarted { command: command.to_owned(), hosts: names.to_vec() });
        let fanout = Fanout {
            hosts: self.targets.hosts.clone(),
            parallel: self.fanout.parallel(),
            limit: self.fanout.limit(),
            interrupt,
        };
        let progress = |name: &String| progress(Arc::clone(events), name.clone(), command);
        let progress: Arc<[Progress]> = names.iter().map(progress).collect();
        let per_host = {
            let (events, names, progress) = (Arc::clone(events), Arc::clone(&names), Arc::clone(&progress));
            move |host: usize, connected: Arc<dyn Host>| {
                let name = names.get(host).cloned().unwrap_or_default();
                events.tell(Event::StepStarted { host: name, step: command.to_owned() });
                let working = work(host, connected, progress[host].clone());
                async move { Ok::<_, HostError>(working.await) }
            }
        };
        let mut tallies: Vec<(String, Tally)> = names.iter().map(|name| (name.clone(), Tally::default())).collect();
        let ended = |ended: Ended<Result<Copied, TransferError>>| {
            let host = ended.host;
            if let (Some((name, tally)), Some(progress)) = (tallies.get_mut(host), progress.get(host)) {
                *tally = self.tell(events, name, ended, progress);
                if tally.failure.is_none() {
                    well.lock().unwrap_or_else(PoisonError::into_inner).insert(host);
                }
                events.tell(Event::HostFinished { host: name.clone(), tally: tally.clone() });
            }
        };
        fanout.drive(per_host, ended).await;
        let failures = tallies.iter().filter_map(|(_, tally)| tally.failure.as_ref());
        let outcome = Outcome::of(failures.map(|failure| failure.kind));
        let took = began.elapsed();
        events.tell(match self.dry {
            true => Event::PlanFinished { outcome, tallies, took },
            false => Event::RunFinished { outcome, tallies, took },
        });
        outcome
    }

    /// Tells how it ended on one host.
    fn tell(
        &self,
        events: &Events,
        name: &str,
        ended: Ended<Result<Copied, TransferError>>,
        progress: &Progress,
    ) -> Tally {
        let (host, step, took) = (name.to_owned(), self.command.to_owned(), ended.took);
        let result = match ended.result {
            Ok(result) => result.map_err(|error| failure(self.command, error)),
            Err(miss) => Err(missed(&miss)),
        };
        if let Some(copied) = result.as_ref().ok().filter(|copied| !copied.left_out.is_empty()) {
            events.tell(Event::HostNoted { host: host.clone(), note: copied.left_out.to_string() });
        }
        match result {
            Ok(copied) if copied.changes.is_empty() => {
                let are = if copied.unchanged == 1 { "is as it should be" } else { "are as they should be" };
                let why = format!("{} {are} in {}", paths(copied.unchanged), copied.base);
                events.tell(Event::StepUnchanged { host, step, why });
                Tally { unchanged: 1, took, ..Tally::default() }
            }
            Ok(copied) => {
                let diff = copied.changes.iter().map(|change| line(change, &copied.base)).collect();
                events.tell(match self.dry {
                    true => Event::StepPlanned { host, step, diff, actions: Vec::new() },
                    false => Event::StepChanged { host, step, diff, took },
                });
                let changed = format!("{} ({})", paths(copied.changes.len()), size(copied.bytes));
                Tally { changed: vec![changed], took, ..Tally::default() }
            }
            Err(failure) => {
                events.tell(Event::HostFailed { host, failure: failure.clone() });
                // What was put in place before stays there.
                let changed = Some(progress.placed()).filter(|placed| *placed > 0).map(paths);
                Tally { changed: changed.into_iter().collect(), failure: Some(failure), took, ..Tally::default() }
            }
        }
    }

    /// Keeps which hosts failed or were not done, for `--failed`.
    fn remember(&self, well: &Mutex<BTreeSet<usize>>) {
        if self.dry {
            return;
        }
        let well = well.lock().unwrap_or_else(PoisonError::into_inner);
        self.targets.last_failed.remember(&self.targets.names, |host| well.contains(&host));
    }
}

fn paths(count: usize) -> String {
    format!("{count} path{}", if count == 1 { "" } else { "s" })
}

/// Tells now and then how far a host is, and in any case when all has been taken.
fn progress(events: Events, host: String, step: &'static str) -> Progress {
    let last = Mutex::new(None::<Instant>);
    Progress::new(move |done, total| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if total > 0 && (done == total || last.is_none_or(|last| last.elapsed() >= BREATH)) {
            *last = Some(Instant::now());
            events.tell(Event::BytesMoved { host: host.clone(), step: step.to_owned(), done, total });
        }
    })
}

/// A change as people read diffs, with its whole path.
fn line(change: &Change, base: &str) -> String {
    let path = String::from_utf8_lossy(&change.path);
    let (sign, note) = match change.how {
        How::New => ('+', ""),
        How::Contents => ('~', ""),
        How::Attributes => ('~', " (mode, time or owner)"),
        How::Removed => ('-', ""),
    };
    let slash = if base.ends_with('/') || path.is_empty() { "" } else { "/" };
    crate::base::printable(&format!("{sign} {base}{slash}{path}{note}"))
}

fn failure(command: &str, error: TransferError) -> Failure {
    let hint = error.hint().map(str::to_owned);
    let reason = error.to_string();
    let (kind, step, output) = match error {
        TransferError::Host(error) => (Miss::Host(error).kind(), None, Vec::new()),
        TransferError::Refused { output, .. } => (FailureKind::Step, Some(command.to_owned()), output),
        TransferError::Local(_) => (FailureKind::Local, Some(command.to_owned()), Vec::new()),
    };
    let reason = crate::base::printable(&reason);
    Failure { kind, step, reason, command: None, status: None, output, hint }
}

fn missed(miss: &Miss) -> Failure {
    let hint = match miss {
        Miss::Host(error) => error.hint().map(str::to_owned),
        _ => None,
    };
    let (kind, reason) = (miss.kind(), miss.to_string());
    Failure { kind, step: None, reason, command: None, status: None, output: Vec::new(), hint }
}
