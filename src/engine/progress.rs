use std::time::Instant;

use secrecy::SecretString;

use crate::base::{Tail, told};
use crate::cluster::Phase;
use crate::events::Event;
use crate::steps::{Action, Yields};

use super::frames::Line;
use super::session::Session;
use super::task::Task;

/// How many lines of an action's output are kept: all that kubeadm has to say.
const KEPT_LINES: usize = 500;
/// How many lines of an action's output are told as they come: nobody reads more, and each is written down.
const TOLD_LINES: usize = 10_000;
/// The most that is kept of a captured value, in bytes.
const LARGEST_CAPTURE: usize = 1 << 20;

/// What a script of kfleet's own writes before what is to be told of its progress.
const MESSAGE: &str = "[kfleet] ";
/// And before what belongs into the report.
const NOTE: &str = "[kfleet:note] ";

/// What is known of a script under way, told as it comes.
pub struct Progress<'a> {
    session: &'a Session,
    tasks: &'a [Task<'a>],
    current: usize,
    status: Option<i32>,
    phase: Option<Phase>,
    since: Instant,
    output: Tail,
    /// How many lines of output the action under way has written.
    lines: usize,
    captured: String,
    yielded: Vec<(Yields, SecretString)>,
}

/// Where a script came to its end before its time.
pub struct Stopped<'a> {
    /// The task that did not end well.
    pub task: Task<'a>,
    /// Its status, if it came to one.
    pub status: Option<i32>,
    /// What it wrote, fit for an event.
    pub output: Vec<String>,
}

impl<'a> Progress<'a> {
    /// Of a script of these tasks.
    pub fn over(session: &'a Session, tasks: &'a [Task<'a>]) -> Self {
        Self {
            session,
            tasks,
            current: 0,
            status: None,
            phase: None,
            since: Instant::now(),
            output: Tail::of(KEPT_LINES),
            lines: 0,
            captured: String::new(),
            yielded: Vec::new(),
        }
    }

    /// What the tasks yielded, where all ended well.
    pub fn end(self) -> Result<Vec<(Yields, SecretString)>, Stopped<'a>> {
        match self.tasks.get(self.current) {
            Some(task) => {
                self.tell_rest(task);
                Err(Stopped { task: *task, status: self.status, output: self.output.into_lines() })
            }
            None => Ok(self.yielded),
        }
    }

    /// Takes a line of the script's answer.
    pub fn take(&mut self, line: Line) {
        let Some(task) = self.tasks.get(self.current) else { return };
        match line {
            Line::Began(index) if index == self.current => self.began(task),
            Line::Ended(index, 0) if index == self.current => self.ended(task),
            Line::Ended(index, status) if index == self.current => self.status = Some(status),
            Line::Text(text) => self.text(task, &text),
            Line::Stderr(text) => self.show(task, &text),
            Line::Began(_) | Line::Ended(..) | Line::Closed => {}
        }
    }

    fn began(&mut self, task: &Task<'_>) {
        self.output = Tail::of(KEPT_LINES);
        self.lines = 0;
        self.captured = String::new();
        self.session.note(Some(told(&task.command())));
        if task.first {
            self.since = Instant::now();
            let (host, step) = self.names(task);
            self.session.tell(Event::StepStarted { host, step });
        }
    }

    fn ended(&mut self, task: &Task<'_>) {
        self.tell_rest(task);
        if let Some(yields) = task.action.yields() {
            self.yielded.push((yields, std::mem::take(&mut self.captured).into()));
        }
        if let Some(diff) = task.diff() {
            let (host, step) = self.names(task);
            let took = self.since.elapsed();
            self.session.tell(Event::StepChanged { host, step, diff: diff.to_vec(), took });
        }
        self.current += 1;
    }

    fn text(&mut self, task: &Task<'_>, text: &str) {
        if task.action.yields().is_some() && self.captured.len() + text.len() < LARGEST_CAPTURE {
            self.captured.push_str(text);
            self.captured.push('\n');
        }
        if !matches!(task.action, Action::Capture(..)) {
            self.show(task, text);
        }
    }

    fn show(&mut self, task: &Task<'_>, text: &str) {
        let line = told(text);
        self.output.push(&line);
        self.lines += 1;
        if self.lines > TOLD_LINES {
            return;
        }
        let (host, step) = self.names(task);
        if let Some(note) = line.strip_prefix(NOTE) {
            self.session.tell(Event::HostNoted { host: host.clone(), note: note.to_owned() });
        }
        if let Some(message) = line.strip_prefix(MESSAGE) {
            let message = message.to_owned();
            self.session.tell(Event::StepProgressed { host: host.clone(), step: step.clone(), message });
        }
        let phase = Phase::of(&line);
        if let Some(phase) = phase.filter(|_| phase != self.phase) {
            self.phase = Some(phase);
            let message = phase.to_string();
            self.session.tell(Event::StepProgressed { host: host.clone(), step: step.clone(), message });
        }
        self.session.tell(Event::OutputReceived { host, step, line });
    }

    /// How much of the output was not told.
    fn tell_rest(&self, task: &Task<'_>) {
        let rest = self.lines.saturating_sub(TOLD_LINES);
        if rest > 0 {
            let (host, step) = self.names(task);
            self.session.tell(Event::OutputReceived { host, step, line: format!("… {rest} more lines") });
        }
    }

    fn names(&self, task: &Task<'_>) -> (String, String) {
        (self.session.name().to_owned(), task.planned.step.to_owned())
    }
}
