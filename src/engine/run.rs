use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::base::Interrupt;
use crate::doctor::{Finding, Stops};
use crate::events::{Event, Failure, FailureKind, Holder, Outcome, Severity, Tally};
use crate::facts::{Facts, Wanted};
use crate::plan::{Fleet, HostPlan, Plan, Recipe, Wave};

use super::drive::{Desk, Drive};
use super::gather::{self, PerHost};
use super::lock::Lock;
use super::session::Session;
use super::tasks::Tasks;
use super::{Engine, Goal, Report, failure, foresee, grant, verify};

/// What may go on on a host after whoever began it has gone: only the same person may begin something beside it.
const JOBS: [&str; 4] = ["init", "join", "reinit", "reset"];

/// A run under way: what is known of each host so far.
pub struct Run<'a> {
    pub(super) engine: &'a Engine,
    limit: Arc<Semaphore>,
    pub(super) sessions: PerHost<Session>,
    pub(super) fleet: Fleet,
    pub(super) tallies: PerHost<Tally>,
    /// Set off when nothing new is to be started: by Ctrl-C, or when the lock is lost.
    pub(super) interrupt: Interrupt,
    /// The lock, while it is held.
    pub(super) lock: Option<Lock>,
    /// Who had the lock before.
    pub(super) last_holder: Option<Holder>,
    /// What stopped the whole run, if anything.
    stopped: Option<FailureKind>,
    /// The findings that were told.
    told: BTreeSet<(Option<String>, &'static str, String)>,
    interrupt_told: bool,
}

impl<'a> Run<'a> {
    /// One that has not begun.
    pub fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            limit: Arc::new(Semaphore::new(engine.parallel.max(1))),
            sessions: PerHost::new(),
            fleet: Fleet::new(),
            tallies: PerHost::new(),
            interrupt: engine.interrupt.clone(),
            lock: None,
            last_holder: None,
            stopped: None,
            told: BTreeSet::new(),
            interrupt_told: false,
        }
    }

    /// From the first connection to the last look.
    pub async fn all(&mut self, recipe: &dyn Recipe) {
        self.gather(recipe).await;
        let Some(plan) = self.plan(recipe).await else { return };
        match self.engine.goal {
            Goal::Apply => {
                if let Some(plan) = self.settle(recipe, plan).await {
                    self.apply(plan).await;
                    self.verify(recipe).await;
                }
            }
            Goal::Plan => self.foresee(&plan),
        }
    }

    /// Lets go of the lock and of all hosts.
    pub async fn close(&mut self) {
        self.unlock().await;
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
            let wanted = wanted(recipe, host.name());
            let gathered =
                gather::connect(Arc::clone(host), wanted, Arc::clone(&self.limit), self.engine.events.clone());
            let interrupt = self.interrupt.clone();
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

    /// What is to be done on the hosts as they are known now; `None` where the run must stop.
    pub(super) async fn plan(&mut self, recipe: &dyn Recipe) -> Option<Plan> {
        if self.stops(recipe, recipe.preflight(&self.fleet)) || !self.answering(recipe).await {
            return None;
        }
        let plan = recipe.plan(&self.fleet);
        if self.stops(recipe, refusals(&plan)) { None } else { Some(plan) }
    }

    /// Tells findings; whether they stop the run. Hosts that they stop are left out of it.
    fn stops(&mut self, recipe: &dyn Recipe, findings: Vec<Finding>) -> bool {
        let mut dropped: BTreeMap<String, Failure> = BTreeMap::new();
        for finding in findings {
            let (host, reason, hint) = (finding.host.clone(), finding.reason.clone(), finding.hint.clone());
            // A second look finds the same again.
            if self.told.insert((host.clone(), finding.check, reason.clone())) {
                self.engine.events.tell(Event::ProblemFound {
                    host: host.clone(),
                    severity: finding.severity,
                    check: finding.check.to_owned(),
                    reason: reason.clone(),
                    hint: hint.clone(),
                });
            }
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
        self.stopped.is_some() || self.interrupt.is_set()
    }

    /// Waits for an API server that should answer and does not yet; whether the run goes on.
    pub(super) async fn answering(&mut self, recipe: &dyn Recipe) -> bool {
        let Some(host) = recipe.silent(&self.fleet).map(str::to_owned) else { return true };
        let Some(session) = self.sessions.get(&host).cloned() else { return true };
        let facts = match verify::answering(&session, &self.interrupt).await {
            Ok(()) => gather::facts(&session, &wanted(recipe, &host)).await,
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

    /// Wave by wave. Where one failed, the hosts of those after it are left as they are, and told to be.
    pub(super) async fn apply(&mut self, plan: Plan) {
        let mut waves: VecDeque<Wave> = plan.waves.into();
        while let Some(mut wave) = waves.pop_front() {
            wave.hosts.retain(|host| !self.has_failed(&host.host));
            let may_fail = wave.may_fail;
            let later = |host: &str| waves.iter().flat_map(|wave| &wave.hosts).any(|other| other.host == host);
            let failed = self.wave(wave, plan.ca.as_deref(), later).await;
            if failed.len() > may_fail && !self.interrupt.is_set() {
                let reason = format!("left as it is, because {} failed before it", failed.join(" and "));
                self.leave(waves.drain(..), &reason);
            }
        }
    }

    /// Notes of hosts that something was to be done on that it was not begun.
    fn leave(&mut self, waves: impl Iterator<Item = Wave>, reason: &str) {
        for host in waves.flat_map(|wave| wave.hosts) {
            let step = host.planned().find(|planned| !planned.change.actions().is_empty()).map(|planned| planned.step);
            if let Some(step) = step.filter(|_| self.sessions.contains_key(&host.host) && !self.has_failed(&host.host))
            {
                self.fail(&host.host, failure::of_step(step, reason));
            }
        }
    }

    /// The whole run ends here, for a reason of this kind.
    pub(super) fn stop(&mut self, kind: FailureKind) {
        self.stopped = Some(kind);
    }

    fn has_failed(&self, host: &str) -> bool {
        self.tallies.get(host).is_some_and(|tally| tally.failure.is_some())
    }

    /// Sends every host of a wave on its way; no host waits for one that it does not need. Gives those that failed.
    async fn wave(&mut self, wave: Wave, ca: Option<&str>, later: impl Fn(&str) -> bool) -> Vec<String> {
        let (office, counter) = grant::open();
        let mut office = Some(office);
        let mut tasks = Tasks::default();
        for host in wave.hosts {
            // A host that preflight or a refusal left out is in none of these.
            let session = self.fleet.get(&host.host).and_then(|_: &Facts| self.sessions.get(&host.host));
            let Some(session) = session.cloned() else { continue };
            let desk = match office.take_if(|_| host.yields_grant()) {
                Some(office) => Desk::Gives(office),
                None if host.needs_grant() => Desk::Takes(counter.clone()),
                None => Desk::Neither,
            };
            let drive = Drive {
                session,
                desk,
                interrupt: self.interrupt.clone(),
                pulse: self.lock.as_ref().map(|lock| lock.pulse.clone()),
                state: self.engine.state.clone(),
                ca: ca.map(str::to_owned),
            };
            let name = host.host.clone();
            tasks.spawn(&name, async move { drive.go(&host).await });
        }
        drop((office, counter));
        let mut failed = Vec::new();
        loop {
            let next = match self.interrupt.or(tasks.next()).await {
                Some(next) => next,
                None => {
                    self.tell_interrupt();
                    tasks.next().await
                }
            };
            let Some((host, tally)) = next else { return failed };
            match tally {
                Ok(tally) => self.tallies.entry(host.clone()).or_default().add(tally),
                Err(failure) => self.fail(&host, failure),
            }
            let tally = self.tallies.get(&host).cloned().unwrap_or_default();
            if tally.failure.is_some() || !later(&host) {
                self.engine.events.tell(Event::HostFinished { host: host.clone(), tally: tally.clone() });
            }
            if tally.failure.is_some() {
                failed.push(host);
            }
        }
    }

    /// Says once what is waited for before the run ends: what must not be cut.
    fn tell_interrupt(&mut self) {
        // Where the lock was lost, that was told.
        if !self.engine.interrupt.is_set() || std::mem::replace(&mut self.interrupt_told, true) {
            return;
        }
        let doing = |(host, session): (&String, &Session)| Some((host.clone(), session.doing()?));
        let waiting_for = self.sessions.iter().filter_map(doing).collect();
        self.engine.events.tell(Event::InterruptReceived { waiting_for });
    }

    /// Tells what the plan would do.
    fn foresee(&mut self, plan: &Plan) {
        for host in plan.hosts().filter(|host| self.fleet.contains_key(&host.host)) {
            let tally = foresee::host(host, |event| self.engine.events.tell(event));
            self.tallies.entry(host.host.clone()).or_default().add(tally);
        }
    }

    /// Tells and notes that a host failed; the first failure counts.
    pub(super) fn fail(&mut self, host: &str, failure: Failure) {
        self.engine.events.tell(Event::HostFailed { host: host.to_owned(), failure: failure.clone() });
        let tally = self.tallies.entry(host.to_owned()).or_default();
        tally.failure.get_or_insert(failure);
    }

    /// How it ended, for these hosts.
    pub fn report(mut self, hosts: &[String]) -> Report {
        let kinds = self.tallies.values().filter_map(|tally| tally.failure.as_ref()).map(|failure| failure.kind);
        let interrupted = self.interrupt.is_set().then_some(FailureKind::Deadline);
        // The kinds are in the order in which one hides another; what was decided here hides what is wrong with the hosts.
        let decided = self.stopped.filter(|kind| *kind == FailureKind::Local);
        let worst = decided.or_else(|| kinds.chain(self.stopped).chain(interrupted).min());
        Report {
            outcome: worst.map_or(Outcome::Succeeded, Outcome::Failed),
            tallies: hosts.iter().map(|host| (host.clone(), self.tallies.remove(host).unwrap_or_default())).collect(),
        }
    }
}

/// What must be read of a host: what the recipe wants, and what may still be at work there.
pub(super) fn wanted(recipe: &dyn Recipe, host: &str) -> Wanted {
    let jobs = JOBS.map(str::to_owned).into();
    recipe.wanted(host).and(Wanted { jobs, ..Wanted::default() })
}

/// Steps that must not touch their hosts, as problems: told before the first write, all at once.
fn refusals(plan: &Plan) -> Vec<Finding> {
    plan.hosts().flat_map(HostPlan::refusals).collect()
}
