use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::base::Tail;
use crate::cluster::{JoinGrant, Phase, join_configuration};
use crate::doctor;
use crate::events::{Event, Failure};
use crate::host::Exit;
use crate::plan::Planned;
use crate::steps::{Action, Change, Contents, Detached, Yields};

use super::failure::{self, show};
use super::frames::{Frames, Line};
use super::job;
use super::script::{Script, write_file};
use super::session::Session;

/// How many lines of a failed command's output are kept for the report.
const KEPT_LINES: usize = 20;
/// What a script may take beside the deadlines of its own actions.
const GRACE: Duration = Duration::from_secs(30);
/// The most that is kept of a captured value, in bytes.
const LARGEST_CAPTURE: usize = 1 << 20;

/// Carries out the steps of one stage on one host; gives what their actions yielded.
///
/// Actions share a round trip until a detached one, which is followed by itself.
pub async fn stage(
    session: &Session,
    steps: &[Planned],
    grant: Option<&JoinGrant>,
) -> Result<Vec<(Yields, SecretString)>, Failure> {
    let mut yielded = Vec::new();
    let mut batch: Vec<Task<'_>> = Vec::new();
    for planned in steps {
        match &planned.change {
            Change::None { .. } if planned.passing => {}
            Change::None { why } => {
                session.tell(Event::StepUnchanged {
                    host: session.name().to_owned(),
                    step: planned.step.to_owned(),
                    why: why.clone(),
                });
            }
            Change::Refused { reason, .. } => return Err(failure::of_step(planned.step, reason)),
            Change::Some { actions, .. } => {
                let last = actions.len().saturating_sub(1);
                batch.extend(actions.iter().enumerate().map(|(index, action)| Task {
                    planned,
                    action,
                    first: index == 0,
                    last: index == last,
                }));
            }
        }
    }
    // A detached job gets a script of its own, so that what is printed before it is known before it.
    for part in batch.chunk_by(|one, two| !one.detached() && !two.detached()) {
        yielded.extend(run(session, part, grant).await?);
    }
    Ok(yielded)
}

/// One action on its way.
#[derive(Clone, Copy)]
struct Task<'a> {
    planned: &'a Planned,
    action: &'a Action,
    first: bool,
    last: bool,
}

impl Task<'_> {
    fn detached(&self) -> bool {
        matches!(self.action, Action::Detach(_))
    }

    fn yields(&self) -> Option<Yields> {
        match self.action {
            Action::Capture(yields, _) => Some(*yields),
            Action::Detach(job) => job.yields,
            Action::Write(_) | Action::Run(_) => None,
        }
    }

    fn command(&self) -> String {
        match self.action {
            Action::Write(file) => format!("write {}", file.path),
            Action::Run(run) | Action::Capture(_, run) => run.command.clone(),
            Action::Detach(job) => job.command.clone(),
        }
    }

    fn deadline(&self) -> Duration {
        match self.action {
            Action::Write(_) => Duration::from_secs(10),
            Action::Run(run) | Action::Capture(_, run) => run.deadline,
            Action::Detach(job) => job.deadline,
        }
    }

    fn body(&self, grant: Option<&JoinGrant>) -> Result<String, Failure> {
        Ok(match self.action {
            Action::Write(file) => {
                let contents = self.contents(&file.contents, grant)?;
                write_file(&file.path, file.mode, file.replaces.as_deref(), &contents)
            }
            Action::Run(run) | Action::Capture(_, run) => run.script.clone(),
            Action::Detach(job) => self.job(job, grant)?,
        })
    }

    fn job(&self, job: &Detached, grant: Option<&JoinGrant>) -> Result<String, Failure> {
        let files = job.files.iter().map(|(name, contents)| Ok((*name, self.contents(contents, grant)?)));
        let files: Vec<(&str, SecretString)> = files.collect::<Result<_, Failure>>()?;
        Ok(format!("(\n{}\n)\n{}", job::start(job, &files), job::follow(job)))
    }

    fn contents(&self, contents: &Contents, grant: Option<&JoinGrant>) -> Result<SecretString, Failure> {
        match contents {
            Contents::Text(text) => Ok(text.clone().into()),
            Contents::Secret(secret) => Ok(secret.clone()),
            Contents::JoinConfiguration(spec) => {
                let fail = |reason: String| failure::of_step(self.planned.step, &reason);
                let grant = grant.ok_or_else(|| fail("there is no join grant".to_owned()))?;
                join_configuration(spec, grant).map_err(|error| fail(error.to_string()))
            }
        }
    }
}

/// Sends the tasks as one script and follows its answer.
async fn run(
    session: &Session,
    tasks: &[Task<'_>],
    grant: Option<&JoinGrant>,
) -> Result<Vec<(Yields, SecretString)>, Failure> {
    let mut script = Script::new().map_err(|error| failure::of_workstation(&error.to_string()))?;
    for task in tasks {
        let body = task.body(grant)?;
        match task.action {
            Action::Capture(..) => script.add_capture(&body),
            Action::Write(_) | Action::Run(_) | Action::Detach(_) => script.add(&body),
        }
    }
    let (text, nonce) = script.finish();
    let deadline = tasks.iter().map(Task::deadline).sum::<Duration>() + GRACE;

    let mut progress = Progress::over(session, tasks);
    let mut frames = Frames::new(&nonce, |line| progress.take(line));
    let exit = session.exec(text, deadline, &mut frames).await;
    frames.finish();
    session.note(None);

    let Some(task) = progress.under_way() else { return Ok(progress.yielded) };
    let failure = match exit {
        Err(error) => Failure {
            command: Some(task.command()),
            hint: task.detached().then(|| goes_on(task)).or_else(|| error.hint().map(show)),
            ..failure::of_host(&error, Some(task.planned.step))
        },
        Ok(exit) => progress.failure(task, &exit),
    };
    Err(if task.detached() && failure.status.is_some() { doctor_job(session, failure).await } else { failure })
}

fn goes_on(task: &Task<'_>) -> String {
    format!("`{}` goes on by itself on the host: run the same command again to follow it", task.command())
}

/// Adds the kubelet's state and last words, and the likely cause, to the failure of a job of kubeadm's.
async fn doctor_job(session: &Session, mut failure: Failure) -> Failure {
    let mut journal = Vec::new();
    if let Ok(script) = Script::new() {
        let mut script = script;
        script.add(
            "printf 'kubelet: %s\\n' \"$(systemctl is-active kubelet || :)\"\n\
             journalctl --unit kubelet --lines 15 --no-pager --output cat 2>/dev/null || :",
        );
        let (text, nonce) = script.finish();
        let mut frames = Frames::new(&nonce, |line| {
            if let Line::Text(text) = line {
                journal.push(show(&text));
            }
        });
        // Without an answer there is less to say, and nothing else to do.
        let _ = session.exec(text, Duration::from_secs(15), &mut frames).await;
        frames.finish();
    }
    let state = journal.first().cloned().unwrap_or_default();
    let cause = doctor::cause(&failure.output.join("\n"), &journal.join("\n"), &state);
    failure.hint = cause.map(|cause| format!("{}: {}", cause.what, cause.hint)).or(failure.hint);
    failure.output.extend(journal);
    failure
}

/// What is known of a script under way.
struct Progress<'a> {
    session: &'a Session,
    tasks: &'a [Task<'a>],
    current: usize,
    status: Option<i32>,
    phase: Option<Phase>,
    since: Instant,
    tail: Tail,
    captured: String,
    yielded: Vec<(Yields, SecretString)>,
}

impl<'a> Progress<'a> {
    fn over(session: &'a Session, tasks: &'a [Task<'a>]) -> Self {
        Self {
            session,
            tasks,
            current: 0,
            status: None,
            phase: None,
            since: Instant::now(),
            tail: Tail::of(KEPT_LINES),
            captured: String::new(),
            yielded: Vec::new(),
        }
    }

    /// The task that has not ended well, if any.
    fn under_way(&self) -> Option<&'a Task<'a>> {
        self.tasks.get(self.current)
    }

    fn take(&mut self, line: Line) {
        let Some(task) = self.under_way() else { return };
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
        self.tail = Tail::of(KEPT_LINES);
        self.captured = String::new();
        self.session.note(Some(show(&task.command())));
        if task.first {
            self.since = Instant::now();
            self.session.tell(Event::StepStarted { host: self.host(), step: step(task) });
        }
    }

    fn ended(&mut self, task: &Task<'_>) {
        if let Some(yields) = task.yields() {
            self.yielded.push((yields, std::mem::take(&mut self.captured).into()));
        }
        if let (true, false, Change::Some { diff, .. }) = (task.last, task.planned.passing, &task.planned.change) {
            self.session.tell(Event::StepChanged {
                host: self.host(),
                step: step(task),
                diff: diff.clone(),
                took: self.since.elapsed(),
            });
        }
        self.current += 1;
    }

    fn text(&mut self, task: &Task<'_>, text: &str) {
        if task.yields().is_some() && self.captured.len() + text.len() < LARGEST_CAPTURE {
            self.captured.push_str(text);
            self.captured.push('\n');
        }
        if !matches!(task.action, Action::Capture(..)) {
            self.show(task, text);
        }
    }

    fn show(&mut self, task: &Task<'_>, text: &str) {
        let line = show(text);
        self.tail.push(&line);
        let phase = Phase::of(&line);
        if let Some(phase) = phase.filter(|_| phase != self.phase) {
            self.phase = Some(phase);
            let message = phase.to_string();
            self.session.tell(Event::StepProgressed { host: self.host(), step: step(task), message });
        }
        self.session.tell(Event::OutputReceived { host: self.host(), step: step(task), line });
    }

    fn failure(self, task: &Task<'_>, exit: &Exit) -> Failure {
        let output = self.tail.into_lines();
        let hint = doctor::cause(&output.join("\n"), "", "").map(|cause| format!("{}: {}", cause.what, cause.hint));
        let (reason, status) = match self.status {
            Some(status) => ("the command failed", format!("exit status {status}")),
            None => ("the shell on the host ended early", exit.to_string()),
        };
        Failure {
            command: Some(show(&task.command())),
            status: Some(status),
            output,
            hint,
            ..failure::of_step(task.planned.step, reason)
        }
    }

    fn host(&self) -> String {
        self.session.name().to_owned()
    }
}

fn step(task: &Task<'_>) -> String {
    task.planned.step.to_owned()
}
