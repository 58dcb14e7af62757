use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;

use crate::base::told;
use crate::cluster::JoinGrant;
use crate::events::{Event, Failure};
use crate::host::HostError;
use crate::plan::Planned;
use crate::steps::{Action, Change, Yields};

use super::diagnosis::{Diagnosis, of_command, of_kubeadm, of_lost_job};
use super::failure;
use super::frames::Frames;
use super::job;
use super::progress::{Progress, Stopped};
use super::script::Script;
use super::session::{Session, Turn};
use super::task::Task;

/// What a script may take beside the deadlines of its own actions.
const GRACE: Duration = Duration::from_secs(30);

/// The longest that it may take to get in once more: the host waits for twice as long.
const COMING_BACK: Duration = Duration::from_secs(30);

/// Tells which of these steps find nothing to change.
pub fn tell_unchanged(session: &Session, steps: &[&Planned]) {
    for planned in steps.iter().filter(|planned| !planned.passing) {
        if let Change::None { why } = &planned.change {
            let (host, step) = (session.name().to_owned(), planned.step.to_owned());
            session.tell(Event::StepUnchanged { host, step, why: why.clone() });
        }
    }
}

/// Carries out the actions of these steps on one host, in order; gives what they yielded.
///
/// Actions share a round trip until a detached one, which is followed by itself.
///
/// # Errors
/// The first action that failed; nothing after it was begun.
pub async fn actions(
    session: &Session,
    turn: &Turn,
    steps: &[&Planned],
    grant: Option<&JoinGrant>,
) -> Result<Vec<(Yields, SecretString)>, Failure> {
    let mut yielded = Vec::new();
    // A detached job gets a script of its own, so that what is printed before it is known before it.
    let alone = |task: &Task<'_>| task.detached() || task.comes_back();
    for part in Task::all(steps).chunk_by(|one, two| !alone(one) && !alone(two)) {
        yielded.extend(match part {
            [task] if task.comes_back() => come_back(session, turn, *task).await?,
            part => run(session, turn, part, grant).await?,
        });
    }
    Ok(yielded)
}

/// Does the task over a connection made anew.
async fn come_back(session: &Session, turn: &Turn, task: Task<'_>) -> Result<Vec<(Yields, SecretString)>, Failure> {
    session.note(Some(told(&task.command())));
    let anew = match timeout(COMING_BACK, session.anew()).await {
        Ok(anew) => anew,
        Err(_) => Err(HostError::Deadline { after: COMING_BACK }),
    };
    session.note(None);
    let anew = anew.map_err(|error| Failure {
        command: Some(told(&task.command())),
        hint: Some("within a minute the host takes back by itself what has closed the way: then look at what this step changes".to_owned()),
        ..failure::of_step(task.planned.step, &format!("no new connection gets in after this change: {error}"))
    })?;
    let ended = run(&anew, turn, &[task], None).await;
    anew.close().await;
    ended
}

/// Sends the tasks as one script and follows its answer.
async fn run(
    session: &Session,
    turn: &Turn,
    tasks: &[Task<'_>],
    grant: Option<&JoinGrant>,
) -> Result<Vec<(Yields, SecretString)>, Failure> {
    let mut script = Script::new().map_err(|error| failure::of_workstation(&error.to_string()))?;
    for task in tasks {
        let body = task.body(grant)?;
        match task.action {
            Action::Capture(..) => script.add_capture(&body),
            Action::Write(_) | Action::Run(_) | Action::ComeBack(_) | Action::Detach(_) => script.add(&body),
        }
    }
    let (text, nonce) = script.finish();
    let deadline = tasks.iter().map(Task::deadline).sum::<Duration>() + GRACE;

    let mut progress = Progress::over(session, tasks);
    let mut frames = Frames::new(&nonce, |line| progress.take(line));
    let exit = session.exec(turn, text, deadline, &mut frames).await;
    frames.finish();
    session.note(None);

    let Stopped { task, status, output } = match progress.end() {
        Ok(yielded) => return Ok(yielded),
        Err(stopped) => stopped,
    };
    let step = task.planned.step;
    let command = Some(told(&task.command()));
    let exit = match exit {
        Ok(exit) => exit,
        Err(error) => {
            let hint = if task.detached() { Some(goes_on(&task)) } else { error.hint().map(told) };
            return Err(Failure { command, hint, ..failure::of_host(&error, Some(step)) });
        }
    };
    let diagnosis = match (status, task.detached()) {
        (None, _) => Diagnosis { reason: "the shell on the host ended early".to_owned(), ..of_command(&output) },
        (Some(_), false) => of_command(&output),
        (Some(job::LOST), true) => of_lost_job(&output),
        (Some(_), true) => of_kubeadm(session, turn, &output).await,
    };
    let status = match status {
        Some(job::LOST) if task.detached() => None,
        Some(status) => Some(format!("exit status {status}")),
        None => Some(exit.to_string()),
    };
    Err(Failure {
        command,
        status,
        output: diagnosis.lines,
        hint: diagnosis.hint,
        ..failure::of_step(step, &diagnosis.reason)
    })
}

fn goes_on(task: &Task<'_>) -> String {
    format!(
        "if the host is still up, `{}` goes on there by itself: run the same command again to follow it",
        task.command()
    )
}
