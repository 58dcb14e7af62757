use crate::events::{Event, FailureKind, Severity};
use crate::facts::Job;
use crate::plan::{Plan, Recipe};

use super::lock::{self, Wish};
use super::run::{Run, wanted};
use super::tasks::Tasks;
use super::{Approval, foresee, gather};

impl Run<'_> {
    /// The plan to carry out; `None` where the run ends before anything was written.
    ///
    /// It was made of facts read under the lock. An answer to a question takes time, and the lock must not be held
    /// meanwhile; so all hosts are read anew, and where something else is to be done now, that is asked about.
    pub(super) async fn settle(&mut self, recipe: &dyn Recipe, mut plan: Plan) -> Option<Plan> {
        loop {
            if self.changes(&plan).is_empty() {
                return Some(plan);
            }
            if !self.approved(&plan).await || !self.lock().await {
                return None;
            }
            self.gather_again(recipe).await;
            if self.is_another_at_work().await {
                return None;
            }
            let now = self.plan(recipe).await?;
            let changed = differing(&plan, &now);
            if changed.is_empty() {
                return Some(now);
            }
            self.engine.events.tell(Event::PlanChanged { hosts: changed });
            if matches!(self.engine.approval, Approval::Given) {
                return Some(now);
            }
            self.unlock().await;
            plan = now;
        }
    }

    /// Takes the lock, if there is one to take; whether the run goes on.
    async fn lock(&mut self) -> bool {
        let Some(wanted) = &self.engine.lock else { return true };
        let Some(session) = self.sessions.get(&wanted.host) else {
            self.engine.events.tell(Event::ProblemFound {
                host: Some(wanted.host.clone()),
                severity: Severity::Warning,
                check: "lock".to_owned(),
                reason: "not reached, so nothing keeps others from changing the same hosts now".to_owned(),
                hint: None,
            });
            return true;
        };
        match self.interrupt.or(lock::wish(session, &wanted.holder)).await {
            None => false,
            Some(Ok(Wish::Granted(lock, last))) => {
                self.interrupt = self.engine.interrupt.and(&lock.lost);
                self.lock = Some(lock);
                self.last_holder = last;
                true
            }
            Some(Ok(Wish::Refused(holder))) => {
                let (host, still_running) = (wanted.host.clone(), Vec::new());
                self.engine.events.tell(Event::LockRefused { host, holder, still_running });
                self.stop(FailureKind::Local);
                false
            }
            Some(Err(failure)) => {
                let host = wanted.host.clone();
                self.fail(&host, failure);
                false
            }
        }
    }

    /// Whether what somebody else has begun still goes on, though that one holds no lock any more.
    async fn is_another_at_work(&mut self) -> bool {
        let (Some(wanted), Some(lock)) = (&self.engine.lock, &self.lock) else { return false };
        if let Some(last) = self.last_holder.take_if(|last| !last.is_same_person(&wanted.holder)) {
            let running = self.fleet.iter().flat_map(|(host, facts)| {
                let running = facts.jobs.iter().filter(|(_, job)| **job == Job::Running);
                running.map(|(job, _)| (host.clone(), format!("kfleet-{job}.service")))
            });
            let still_running: Vec<_> = running.collect();
            if !still_running.is_empty() {
                let (host, holder) = (wanted.host.clone(), Some(last));
                self.engine.events.tell(Event::LockRefused { host, holder, still_running });
                self.stop(FailureKind::Local);
                return true;
            }
        }
        lock.sign().await;
        false
    }

    /// Lets go of the lock, if it is held.
    pub(super) async fn unlock(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.release().await;
        }
    }

    /// Asks every host that is in the run for its facts once more.
    async fn gather_again(&mut self, recipe: &dyn Recipe) {
        let mut tasks = Tasks::default();
        for host in self.fleet.keys() {
            let Some(session) = self.sessions.get(host).cloned() else { continue };
            let wanted = wanted(recipe, host);
            tasks.spawn(host, async move { gather::facts(&session, &wanted).await });
        }
        while let Some((host, facts)) = tasks.next().await {
            match facts.unwrap_or_else(Err) {
                Ok(facts) => {
                    self.fleet.insert(host, facts);
                }
                Err(failure) => {
                    self.fleet.remove(&host);
                    self.fail(&host, failure);
                }
            }
        }
    }
}

/// The hosts on which something else is to be done now than before. One that was lost meanwhile is told of as that.
fn differing(before: &Plan, now: &Plan) -> Vec<String> {
    let before = foresee::all(before);
    let differs = |(host, steps): &(&str, Vec<String>)| before.get(host) != Some(steps);
    foresee::all(now).into_iter().filter(differs).map(|(host, _)| host.to_owned()).collect()
}
