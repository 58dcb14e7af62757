use std::path::PathBuf;

use crate::base::printable;
use crate::events::{Event, Failure, Reply, Tally};

use super::approval::{question, to_change};
use super::failure::{failure_lines, wrapped};
use super::line::{Line, Tone};
use super::lock::{plan_changed, refused};
use super::planned::{foreseen, planned};
use super::problems::Problems;
use super::summary::{saved, summary};
use super::table::count;
use super::took::took;

/// A step's diff is told in one line; of a longer one, this much. All of it is in `-v` and in JSON.
const DIFF: usize = 6;

/// The prose of a run: what a person is told of each event, whatever the face.
pub(super) struct Story {
    detail: Detail,
    problems: Problems,
    saved: Vec<(String, PathBuf)>,
    noted: Vec<String>,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// What a person must not miss.
    Milestones,
    /// Also each step on each host.
    Steps,
    /// Also what the hosts wrote.
    Output,
}

/// What is told of one event.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Progress, problems and failures: for stderr.
    pub(super) aside: Vec<Line>,
    /// What the run came to: for stdout.
    pub(super) result: Vec<String>,
    /// What is asked now, after the rest; the answer is typed behind it.
    pub(super) question: Option<String>,
}

impl Story {
    pub(super) fn new(detail: Detail) -> Self {
        Self { detail, problems: Problems::default(), saved: Vec::new(), noted: Vec::new() }
    }

    /// What to tell of `event`, and before it of problems collected up to now; wrapped to `columns`.
    pub(super) fn tell(&mut self, event: &Event, columns: Option<usize>) -> Told {
        if self.problems.collect(event) {
            return Told::default();
        }
        let mut told = Told { aside: self.problems.take(columns), ..Told::default() };
        match event {
            Event::ApprovalAsked { confirm, changes } => {
                told.aside.extend(to_change(changes, columns));
                told.question = Some(question(confirm.as_deref()));
            }
            Event::FileSaved { what, path } => self.saved.push((what.clone(), path.clone())),
            Event::HostNoted { host, note } => self.noted.push(printable(&format!("{host}: {note}"))),
            Event::RunFinished { outcome, tallies, took } => {
                told.result = summary(*outcome, tallies, *took, columns);
                told.result.append(&mut self.noted);
                told.result.extend(self.saved.drain(..).map(|file| saved(&file)));
            }
            Event::StepPlanned { host, step, diff, actions } => told.result = planned(host, step, diff, actions),
            Event::PlanFinished { outcome, tallies, took } => told.result = foreseen(*outcome, tallies, *took),
            event => told.aside.extend(self.lines(event, columns)),
        }
        told
    }

    /// What is left when the events end without [`Event::RunFinished`].
    pub(super) fn end(&mut self, columns: Option<usize>) -> Told {
        let result = self.noted.drain(..).chain(self.saved.drain(..).map(|file| saved(&file))).collect();
        Told { aside: self.problems.take(columns), result, question: None }
    }

    fn lines(&self, event: &Event, columns: Option<usize>) -> Vec<Line> {
        let (detail, tone, text) = match event {
            Event::RunStarted { command, cluster, hosts } => {
                let hosts = count(hosts.len(), "host");
                (Detail::Milestones, Tone::Even, format!("{command}: cluster {cluster}, {hosts}"))
            }
            Event::TransferStarted { command, hosts } => {
                (Detail::Milestones, Tone::Even, format!("{command}: {}", count(hosts.len(), "host")))
            }
            Event::HostFailed { host, failure } => return failure_lines(host, failure, columns),
            Event::InterruptReceived { waiting_for } => return interrupted(waiting_for, columns),
            Event::HostConnected { host, took: time } => {
                (Detail::Steps, Tone::Even, format!("{host}: connected, in {}", took(*time)))
            }
            Event::FactsGathered { host, took: time } => {
                (Detail::Steps, Tone::Even, format!("{host}: facts gathered, in {}", took(*time)))
            }
            Event::StepStarted { host, step } => (Detail::Steps, Tone::Even, format!("{host}: {step}: started")),
            Event::StepProgressed { host, step, message } => {
                (Detail::Steps, Tone::Even, format!("{host}: {step}: {message}"))
            }
            Event::StepUnchanged { host, step, why } => {
                (Detail::Steps, Tone::Even, format!("{host}: {step}: unchanged: {why}"))
            }
            Event::StepChanged { host, step, diff, took: time } => {
                let diff = self.diff(diff);
                (Detail::Steps, Tone::Change, format!("{host}: {step}: changed{diff}, in {}", took(*time)))
            }
            Event::HostFinished { host, tally } => (Detail::Steps, Tone::Even, format!("{host}: {}", finished(tally))),
            Event::OutputReceived { host, step, line } => {
                (Detail::Output, Tone::Quiet, format!("{host} {step} | {line}"))
            }
            Event::PlanChanged { hosts } => return plan_changed(hosts, columns),
            Event::LockRefused { host, holder, still_running } => {
                return refused(host, holder.as_ref(), still_running, columns);
            }
            Event::LockLost { host, reason } => {
                let text = format!("the lock on {host} was lost: {reason}; nothing new is started");
                return wrapped(Tone::Failure, &text, "", "  ", columns);
            }
            Event::ApprovalAnswered { reply: Reply::Yes } => (Detail::Steps, Tone::Even, "approved".to_owned()),
            Event::ApprovalAnswered { .. } => {
                (Detail::Milestones, Tone::Warning, "not approved: nothing was changed".to_owned())
            }
            // Told above, or by lines that live.
            Event::ApprovalAsked { .. }
            | Event::ProblemFound { .. }
            | Event::BytesMoved { .. }
            | Event::FileSaved { .. }
            | Event::HostNoted { .. }
            | Event::StepPlanned { .. }
            | Event::PlanFinished { .. }
            | Event::RunFinished { .. } => return Vec::new(),
        };
        if detail <= self.detail { vec![Line::new(tone, &text)] } else { Vec::new() }
    }

    fn diff(&self, diff: &[String]) -> String {
        match diff.len() {
            0 => String::new(),
            all if all <= DIFF || self.detail == Detail::Output => format!(": {}", diff.join(", ")),
            all => format!(": {}, and {} more", diff[..DIFF].join(", "), all - DIFF),
        }
    }
}

fn finished(tally: &Tally) -> String {
    let counts = format!("{} changed, {} unchanged, in {}", tally.changed.len(), tally.unchanged, took(tally.took));
    match &tally.failure {
        None => format!("done: {counts}"),
        Some(Failure { step: Some(step), .. }) => format!("ended at {step}: {counts}"),
        Some(Failure { step: None, .. }) => format!("ended: {counts}"),
    }
}

fn interrupted(waiting_for: &[(String, String)], columns: Option<usize>) -> Vec<Line> {
    let head = if waiting_for.is_empty() {
        "interrupted: nothing new is started; Ctrl-C again leaves at once"
    } else {
        "interrupted: nothing new is started, and this must not be cut; Ctrl-C again leaves at once"
    };
    let mut lines = wrapped(Tone::Warning, head, "", "  ", columns);
    for (host, what) in waiting_for {
        lines.extend(wrapped(Tone::Warning, &format!("waiting for {host}: {what}"), "  ", "    ", columns));
    }
    lines
}
