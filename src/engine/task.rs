use std::time::Duration;

use secrecy::SecretString;

use crate::cluster::{JoinGrant, join_configuration};
use crate::events::Failure;
use crate::plan::Planned;
use crate::steps::{Action, Change, Contents, Detached};

use super::script::write_file;
use super::{failure, job};

/// One action of a step, on its way.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The step it belongs to.
    pub planned: &'a Planned,
    /// What it does.
    pub action: &'a Action,
    /// Whether the step begins with it.
    pub first: bool,
    /// Whether the step ends with it.
    pub last: bool,
}

impl<'a> Task<'a> {
    /// The actions of these steps, in order.
    pub fn all(steps: &[&'a Planned]) -> Vec<Self> {
        let of_step = |planned: &&'a Planned| {
            let planned = *planned;
            let actions = planned.change.actions();
            actions.iter().enumerate().map(move |(index, action)| Task {
                planned,
                action,
                first: index == 0,
                last: index + 1 == actions.len(),
            })
        };
        steps.iter().flat_map(of_step).collect()
    }

    /// Whether it goes on without a connection.
    pub fn detached(&self) -> bool {
        matches!(self.action, Action::Detach(_))
    }

    /// Whether it needs a connection of its own.
    pub fn comes_back(&self) -> bool {
        matches!(self.action, Action::ComeBack(_))
    }

    /// What a report calls it.
    pub fn command(&self) -> String {
        match self.action {
            Action::Write(file) => format!("write {}", file.path),
            Action::Run(run) | Action::Capture(_, run) => run.command.clone(),
            Action::ComeBack(run) => format!("{}, over a new connection", run.command),
            Action::Detach(job) => job.command.clone(),
        }
    }

    /// The longest that it may take, or is followed.
    pub fn deadline(&self) -> Duration {
        match self.action {
            Action::Write(_) => Duration::from_secs(10),
            Action::Run(run) | Action::ComeBack(run) | Action::Capture(_, run) => run.deadline,
            Action::Detach(job) => job.deadline,
        }
    }

    /// What its step reports when the task ends well: nothing before the last, and nothing of what passes.
    pub fn diff(&self) -> Option<&'a [String]> {
        match &self.planned.change {
            Change::Some { diff, .. } if self.last && !self.planned.passing => Some(diff),
            _ => None,
        }
    }

    /// The script that does it.
    ///
    /// # Errors
    /// When what it is made of is not there.
    pub fn body(&self, grant: Option<&JoinGrant>) -> Result<String, Failure> {
        Ok(match self.action {
            Action::Write(file) => {
                let contents = self.contents(&file.contents, grant)?;
                write_file(&file.path, file.mode, file.replaces.as_deref(), &contents)
            }
            Action::Run(run) | Action::ComeBack(run) | Action::Capture(_, run) => run.script.clone(),
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
