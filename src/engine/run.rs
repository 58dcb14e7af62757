use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::doctor::{Finding, Stops};
use crate::events::{Event, Events, Failure, FailureKind, Outcome, Severity, Tally};
use crate::host::Connect;
use crate::plan::{Fleet, HostPlan, Plan, Recipe};
use crate::steps::Change;

use super::drive::{Desk, Drive};
use super::gather::{self, PerHost};
use super::session::Session;
use super::tasks::Tasks;
use super::{Interrupt, StateDir, failure, grant, verify};

/// Everything a run needs beside its recipe.
pub struct Engine {
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
    /// Gather, preflight, plan, apply, verify.
    pub async fn run(&self, recipe: &dyn Recipe, cluster: &str) -> Report {
        let since = Instant::now();
        let hosts: Vec<String> = self.hosts.iter().map(|host| host.name().to_owned()).collect();
        self.events.tell(Event::RunStarted {
            command: recipe.command().to_owned(),
            cluster: cluster.to_owned(),
            hosts: hosts.clone(),
        });
        let mut run = Run::new(self);
        run.all(recipe).await;
        let report = run.report(&hosts);
        self.events.tell(Event::RunFinished {
            outcome: report.outcome,
            tallies: report.tallies.clone(),
            took: since.elapsed(),
        });
        report
    }
}

/// A run under way: what is known of each host so far.
struct Run<'a> {
    engine: &'a Engine,
    limit: Arc<Semaphore>,
    sessions: PerHost<Session>,
    fleet: Fleet,
    tallies: PerHost<Tally>,
    /// What stopped the whole run, if anything.
    stopped: Option<FailureKind>,
    interrupt_told: bool,
}

impl<'a> Run<'a> {
    fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            limit: Arc::new(Semaphore::new(engine.parallel.max(1))),
            sessions: PerHost::new(),
            fleet: Fleet::new(),
            tallies: PerHost::new(),
            stopped: None,
            interrupt_told: false,
        }
    }

    async fn all(&mut self, recipe: &dyn Recipe) {
        self.gather(recipe).await;
        if self.stops(recipe, recipe.preflight(&self.fleet)) || !self.answering(recipe).await {
            return;
        }
        let plan = recipe.plan(&self.fleet);
        if self.stops(recipe, refusals(&plan)) {
            return;
        }
        self.apply(plan).await;
        self.verify(recipe).await;
        for session in self.sessions.values() {
            session.close().await;
        }
    }
}

impl Run<'_> {
    /// Connects to all hosts at once and asks each for its facts, within the connect deadline: the only barrier.
    async fn gather(&mut self, recipe: &dyn Recipe) {
        let mut tasks = Tasks::default();
        for host in &self.engine.hosts {
            let wanted = recipe.wanted(host.name());
            let gathered =
                gather::connect(Arc::clone(host), wanted, Arc::clone(&self.limit), self.engine.events.clone());
            let interrupt = self.engine.interrupt.clone();
            tasks.spawn(host.name(), async move {
                interrupt.or(gathered).await.unwrap_or_else(|| Err(failure::of_interrupt(None)))
            });
        }
        while let Some((host, gathered)) = tasks.next().await {
            match gathered.unwrap_or_else(Err) {
                Ok((session, facts)) => {
                    self.sessions.insert(host.clone(), session);
                    self.fleet.insert(host, facts);
                }
                Err(failure) => self.fail(&host, failure),
            }
        }
    }

    /// Tells findings; whether they stop the run. Hosts that they stop are left out of it.
    fn stops(&mut self, recipe: &dyn Recipe, findings: Vec<Finding>) -> bool {
        let mut dropped: BTreeMap<String, Failure> = BTreeMap::new();
        for finding in findings {
            let (host, reason, hint) = (finding.host.clone(), finding.reason.clone(), finding.hint.clone());
            self.engine.events.tell(Event::ProblemFound {
                host: host.clone(),
                severity: finding.severity,
                check: finding.check.to_owned(),
                reason: reason.clone(),
                hint: hint.clone(),
            });
            if finding.severity < Severity::Error {
                continue;
            }
            if recipe.stops(&finding) == Stops::Run {
                self.stopped = Some(FailureKind::Step);
            }
            if let Some(host) = host {
                dropped.entry(host).or_insert(Failure { hint, ..failure::of_step(finding.check, &reason) });
            }
        }
        for (host, failure) in dropped {
            self.fleet.remove(&host);
            self.fail(&host, failure);
        }
        self.stopped.is_some() || self.engine.interrupt.is_set()
    }

    /// Waits for an API server that should answer and does not yet, as after a boot; whether the run goes on.
    async fn answering(&mut self, recipe: &dyn Recipe) -> bool {
        let silent = |facts: &crate::facts::Facts| facts.cluster.as_ref().is_some_and(|c| c.unreachable.is_some());
        let Some(host) = self.fleet.iter().find(|(_, facts)| silent(facts)).map(|(host, _)| host.clone()) else {
            return true;
        };
        let Some(session) = self.sessions.get(&host).cloned() else { return true };
        let facts = match verify::answering(&session, &self.engine.interrupt).await {
            Ok(()) => gather::facts(&session, &recipe.wanted(&host)).await,
            Err(failure) => Err(failure),
        };
        match facts {
            Ok(facts) => {
                self.fleet.insert(host, facts);
                true
            }
            Err(failure) => {
                self.fail(&host, failure);
                false
            }
        }
    }

    /// Sends every host on its way; no host waits for one that it does not need.
    async fn apply(&mut self, plan: Plan) {
        let (office, counter) = grant::open();
        let mut office = Some(office);
        let mut tasks = Tasks::default();
        for host in plan.hosts {
            let Some(session) = self.sessions.get(&host.host).cloned() else { continue };
            let desk = match office.take_if(|_| host.yields_grant()) {
                Some(office) => Desk::Gives(office),
                None if host.needs_grant() => Desk::Takes(counter.clone()),
                None => Desk::Neither,
            };
            let drive = Drive {
                session,
                desk,
                interrupt: self.engine.interrupt.clone(),
                state: self.engine.state.clone(),
                ca: plan.ca.clone(),
            };
            let name = host.host.clone();
            tasks.spawn(&name, async move { drive.go(&host).await });
        }
        drop((office, counter));
        loop {
            let next = match self.engine.interrupt.or(tasks.next()).await {
                Some(next) => next,
                None => {
                    self.tell_interrupt();
                    tasks.next().await
                }
            };
            let Some((host, tally)) = next else { break };
            match tally {
                Ok(tally) => {
                    self.engine.events.tell(Event::HostFinished { host: host.clone(), tally: tally.clone() });
                    self.tallies.insert(host, tally);
                }
                Err(failure) => self.fail(&host, failure),
            }
        }
    }

    /// Says once what is waited for before the run ends: what must not be cut.
    fn tell_interrupt(&mut self) {
        if std::mem::replace(&mut self.interrupt_told, true) {
            return;
        }
        let doing = |(host, session): (&String, &Session)| Some((host.clone(), session.doing()?));
        let waiting_for = self.sessions.iter().filter_map(doing).collect();
        self.engine.events.tell(Event::InterruptReceived { waiting_for });
    }

    /// Looks again at every host that was changed, and waits for the cluster to be ready.
    async fn verify(&mut self, recipe: &dyn Recipe) {
        if self.engine.interrupt.is_set() {
            return;
        }
        let mut tasks = Tasks::default();
        for (host, session) in &self.sessions {
            let changed =
                self.tallies.get(host).is_some_and(|tally| tally.failure.is_none() && !tally.changed.is_empty());
            if changed {
                let (session, wanted) = (session.clone(), recipe.wanted(host));
                tasks.spawn(host, async move { gather::facts(&session, &wanted).await });
            }
        }
        let mut looked_at = BTreeSet::new();
        while let Some((host, facts)) = tasks.next().await {
            match facts.unwrap_or_else(Err) {
                Ok(facts) => {
                    looked_at.insert(host.clone());
                    self.fleet.insert(host, facts);
                }
                Err(failure) => self.fail(&host, failure),
            }
        }
        for host in recipe.plan(&self.fleet).hosts.iter().filter(|host| looked_at.contains(&host.host)) {
            if let Some(failure) = not_held(host) {
                self.fail(&host.host, failure);
            }
        }
        self.ready(recipe).await;
    }

    async fn ready(&mut self, recipe: &dyn Recipe) {
        let through = |host: &String| self.tallies.get(host).is_some_and(|tally| tally.failure.is_none());
        let fleet: Fleet =
            self.fleet.iter().filter(|(host, _)| through(host)).map(|(h, f)| (h.clone(), f.clone())).collect();
        let Some(expected) = recipe.expectation(&fleet) else { return };
        let Some(session) = self.sessions.get(&expected.asked_on) else { return };
        if let Err(failure) = verify::ready(session, &expected, &self.engine.interrupt).await {
            let host = expected.asked_on.clone();
            self.fail(&host, failure);
        }
    }

    fn fail(&mut self, host: &str, failure: Failure) {
        self.engine.events.tell(Event::HostFailed { host: host.to_owned(), failure: failure.clone() });
        let tally = self.tallies.entry(host.to_owned()).or_default();
        tally.failure.get_or_insert(failure);
    }

    fn report(mut self, hosts: &[String]) -> Report {
        let kinds = self.tallies.values().filter_map(|tally| tally.failure.as_ref()).map(|failure| failure.kind);
        let interrupted = self.engine.interrupt.is_set().then_some(FailureKind::Deadline);
        // The kinds are in the order in which one hides another.
        let worst = kinds.chain(self.stopped).chain(interrupted).min();
        Report {
            outcome: worst.map_or(Outcome::Succeeded, Outcome::Failed),
            tallies: hosts.iter().map(|host| (host.clone(), self.tallies.remove(host).unwrap_or_default())).collect(),
        }
    }
}

/// Steps that must not touch their hosts, as problems: told before the first write, all at once.
fn refusals(plan: &Plan) -> Vec<Finding> {
    plan.hosts.iter().flat_map(HostPlan::refusals).collect()
}

/// What a host that was changed still lacks.
fn not_held(host: &HostPlan) -> Option<Failure> {
    host.planned().filter(|planned| !planned.passing).find_map(|planned| match &planned.change {
        Change::None { .. } => None,
        Change::Some { diff, .. } => Some(Failure {
            output: diff.clone(),
            ..failure::of_step(planned.step, "the change did not hold: it would be made again")
        }),
        Change::Refused { reason, hint } => {
            Some(Failure { hint: Some(hint.clone()), ..failure::of_step(planned.step, reason) })
        }
    })
}
