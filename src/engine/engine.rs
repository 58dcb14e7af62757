use std::sync::Arc;
use std::time::Instant;

use crate::events::{Event, Events, Outcome, Tally};
use crate::host::Connect;
use crate::plan::Recipe;

use super::run::Run;
use super::{Approval, LockOn, StateDir};
use crate::base::Interrupt;

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// To the end.
    Apply,
    /// Up to the first write: what would be done is told, and nothing is.
    Plan,
}

/// Everything a run needs beside its recipe.
pub struct Engine {
    /// How far it goes.
    pub goal: Goal,
    /// What must be said before anything is written.
    pub approval: Approval,
    /// The lock to take before that; `None` where nothing else can be at work on these hosts.
    pub lock: Option<LockOn>,
    /// The hosts, in inventory order.
    pub hosts: Vec<Arc<dyn Connect>>,
    /// Where it is told what happens.
    pub events: Events,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    /// How many hosts are dialled or sent something at once.
    pub parallel: usize,
    /// Where what is fetched is kept.
    pub state: StateDir,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// As a whole.
    pub outcome: Outcome,
    /// On each host, in inventory order.
    pub tallies: Vec<(String, Tally)>,
}

impl Engine {
    /// Gather, preflight, plan, ask, lock and look again, apply, verify; as far as the goal wants it.
    pub async fn run(&self, recipe: &dyn Recipe, cluster: &str) -> Report {
        let since = Instant::now();
        let hosts: Vec<String> = self.hosts.iter().map(|host| host.name().to_owned()).collect();
        self.events.tell(Event::RunStarted {
            command: match self.goal {
                Goal::Apply => recipe.command(),
                Goal::Plan => recipe.rehearsal(),
            }
            .to_owned(),
            cluster: cluster.to_owned(),
            hosts: hosts.clone(),
        });
        let mut run = Run::new(self);
        run.all(recipe).await;
        run.close().await;
        let report = run.report(&hosts);
        let (outcome, tallies, took) = (report.outcome, report.tallies.clone(), since.elapsed());
        self.events.tell(match self.goal {
            Goal::Apply => Event::RunFinished { outcome, tallies, took },
            Goal::Plan => Event::PlanFinished { outcome, tallies, took },
        });
        report
    }
}
