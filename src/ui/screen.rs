use std::collections::HashMap;
use std::time::{Duration, Instant};

use console::{Style, measure_text_width, pad_str, truncate_str};

use crate::base::printable;
use crate::events::Event;

use super::size::moved;
use super::table::count;

/// What the live lines are made of: where each host is.
#[derive(Debug, Default)]
pub(super) struct Screen {
    rows: Vec<Row>,
    by_name: HashMap<String, usize>,
    /// The rows that are shown, each on its line as long as it has something to show: lines that jump cannot be read.
    shown: Vec<usize>,
    changed: usize,
    started: Option<Instant>,
    interrupted: bool,
}

/// What a terminal has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Lines.
    pub(super) rows: u16,
    /// Characters a line.
    pub(super) columns: u16,
}

#[derive(Debug)]
struct Row {
    host: String,
    doing: Doing,
    since: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Doing {
    Connecting,
    ReadingFacts,
    Waiting,
    Step { name: String, message: String },
    Done,
    Failed,
}

impl Doing {
    fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }

    fn is_idle(&self) -> bool {
        *self == Self::Waiting
    }
}

impl Screen {
    const SPINNER: [&'static str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    const SPIN: Duration = Duration::from_millis(100);
    /// Lines left to what stays, and to the two lines below the hosts.
    const SPARE: u16 = 6;
    /// A host idle for this long gives its line to one at work: shorter, and lines would change hands between two steps.
    const IDLE: Duration = Duration::from_secs(1);
    const NAME: usize = 24;

    /// Learns from an event that came at `now`.
    pub(super) fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::RunStarted { hosts, .. } | Event::TransferStarted { hosts, .. } => {
                self.started = Some(now);
                for host in hosts {
                    self.row(host, now);
                }
            }
            Event::HostConnected { host, .. } => self.turn(host, Doing::ReadingFacts, now),
            Event::FactsGathered { host, .. } | Event::StepUnchanged { host, .. } => {
                self.turn(host, Doing::Waiting, now);
            }
            Event::StepStarted { host, step } => {
                self.turn(host, Doing::Step { name: printable(step), message: String::new() }, now);
            }
            Event::StepProgressed { host, step, message } => {
                let row = self.row(host, now);
                // The clock is the step's, not the message's.
                let since = if matches!(row.doing, Doing::Step { .. }) { row.since } else { now };
                self.turn(host, Doing::Step { name: printable(step), message: printable(message) }, since);
            }
            Event::BytesMoved { host, step, done, total } => {
                let row = self.row(host, now);
                let since = if matches!(row.doing, Doing::Step { .. }) { row.since } else { now };
                let message = moved(*done, *total, now.duration_since(since));
                self.turn(host, Doing::Step { name: printable(step), message }, since);
            }
            Event::StepChanged { host, .. } => {
                self.changed += 1;
                self.turn(host, Doing::Waiting, now);
            }
            Event::HostFailed { host, .. } => self.turn(host, Doing::Failed, now),
            Event::HostFinished { host, tally } => {
                self.turn(host, if tally.failure.is_some() { Doing::Failed } else { Doing::Done }, now);
            }
            Event::InterruptReceived { .. } | Event::LockLost { .. } => self.interrupted = true,
            Event::ApprovalAsked { .. }
            | Event::ApprovalAnswered { .. }
            | Event::PlanChanged { .. }
            | Event::LockRefused { .. }
            | Event::ProblemFound { .. }
            | Event::OutputReceived { .. }
            | Event::StepPlanned { .. }
            | Event::FileSaved { .. }
            | Event::HostNoted { .. }
            | Event::PlanFinished { .. }
            | Event::RunFinished { .. } => {}
        }
    }

    /// The live lines as they are at `now`, none longer than the terminal is wide, and no more than fit with room to
    /// spare.
    pub(super) fn frame(&mut self, now: Instant, size: Size) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let room = usize::from(size.rows.saturating_sub(Self::SPARE).max(1));
        self.choose(room, now);
        // The last column stays free: a terminal may wrap a line that fills it.
        let columns = usize::from(size.columns.saturating_sub(1)).max(1);
        let name = self.rows.iter().map(|row| measure_text_width(&row.host)).max().unwrap_or(0).min(Self::NAME);
        let mut lines: Vec<String> =
            self.shown.iter().map(|&row| self.host_line(&self.rows[row], name, columns, now)).collect();
        let unfinished = self.rows.iter().filter(|row| !row.doing.is_over()).count();
        if unfinished > self.shown.len() {
            lines.push(cut(&format!("  … {} more", unfinished - self.shown.len()), columns));
        }
        lines.push(self.count_line(columns, now));
        lines
    }

    fn row(&mut self, host: &str, now: Instant) -> &mut Row {
        let index = *self.by_name.entry(host.to_owned()).or_insert_with(|| {
            self.rows.push(Row { host: printable(host), doing: Doing::Connecting, since: now });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    fn turn(&mut self, host: &str, doing: Doing, since: Instant) {
        let row = self.row(host, since);
        row.doing = doing;
        row.since = since;
    }

    /// Which hosts have a line: who has one keeps it until it is over, or idle while another works unseen.
    fn choose(&mut self, room: usize, now: Instant) {
        let Self { rows, shown, .. } = self;
        shown.truncate(room);
        let mut busy = Vec::new();
        let mut idle = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if !row.doing.is_over() && !shown.contains(&index) {
                if row.doing.is_idle() { idle.push(index) } else { busy.push(index) }
            }
        }
        // The longest at work first: what everybody waits for is seldom what began last.
        busy.sort_by_key(|&index| rows[index].since);
        let mut busy = busy.into_iter();
        let mut idle = idle.into_iter();
        shown.retain_mut(|slot| {
            let row = &rows[*slot];
            let next = if row.doing.is_over() {
                busy.next().or_else(|| idle.next())
            } else if row.doing.is_idle() && now.duration_since(row.since) >= Self::IDLE {
                busy.next().or(Some(*slot))
            } else {
                Some(*slot)
            };
            next.map(|index| *slot = index).is_some()
        });
        shown.extend(busy.chain(idle).take(room - shown.len()));
    }

    fn host_line(&self, row: &Row, name: usize, columns: usize, now: Instant) -> String {
        let elapsed = now.duration_since(row.since);
        let (sign, text) = match &row.doing {
            Doing::Connecting => (self.spinner(now), "connecting".to_owned()),
            Doing::ReadingFacts => (self.spinner(now), "reading facts".to_owned()),
            Doing::Waiting => ("·", "waiting".to_owned()),
            Doing::Step { name, message } if message.is_empty() => (self.spinner(now), name.clone()),
            Doing::Step { name, message } => (self.spinner(now), format!("{name}: {message}")),
            Doing::Done | Doing::Failed => (" ", String::new()),
        };
        let host = pad_str(&row.host, name, console::Alignment::Left, Some("…")).into_owned();
        let line = cut(&format!("{sign} {host}  {:>7}  {text}", clock(elapsed)), columns);
        let style = Style::new().force_styling(true);
        if row.doing.is_idle() { style.dim() } else { style }.apply_to(line).to_string()
    }

    fn count_line(&self, columns: usize, now: Instant) -> String {
        let over = self.rows.iter().filter(|row| row.doing.is_over()).count();
        let failed = self.rows.iter().filter(|row| row.doing == Doing::Failed).count();
        let elapsed = self.started.map_or(Duration::ZERO, |started| now.duration_since(started));
        let head = if self.interrupted { "interrupted: " } else { "" };
        let text = format!(
            "  {head}{over} of {} finished, {} changed, {failed} failed, {}",
            count(self.rows.len(), "host"),
            self.changed,
            clock(elapsed)
        );
        let style = Style::new().force_styling(true);
        if failed > 0 { style.red() } else { style.cyan() }.apply_to(cut(&text, columns)).to_string()
    }

    fn spinner(&self, now: Instant) -> &'static str {
        let turned = self.started.map_or(Duration::ZERO, |started| now.duration_since(started));
        let at = turned.as_millis() / Self::SPIN.as_millis() % 10;
        Self::SPINNER[usize::try_from(at).unwrap_or(0)]
    }
}

/// A clock that runs: `0:07`, `12:30`, `1:02:03`.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

fn cut(line: &str, columns: usize) -> String {
    truncate_str(line, columns, "…").into_owned()
}
