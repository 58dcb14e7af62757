use crate::events::Failure;
use crate::facts::Facts;
use crate::plan::{Fleet, HostPlan, Recipe};
use crate::steps::Change;

use super::run::Run;
use super::tasks::Tasks;
use super::{apply, failure, gather, verify};

impl Run<'_> {
    /// Waits for the cluster to be ready, then looks again at every host that was changed: would anything be changed anew?
    pub(super) async fn verify(&mut self, recipe: &dyn Recipe) {
        if self.interrupt.is_set() {
            return;
        }
        let through = |run: &Self, host: &String| run.tallies.get(host).is_some_and(|tally| tally.failure.is_none());
        let mut fleet = Fleet::new();
        for (host, facts) in self.fleet.iter().filter(|(host, _)| through(self, host)) {
            fleet.insert(host.clone(), facts.clone());
        }
        let expected = recipe.expectation(&fleet);
        if let Some(expected) = &expected
            && let Some(session) = self.sessions.get(&expected.asked_on)
        {
            let of_node =
                |(host, facts): (&String, &Facts)| Some((facts.node_name(), self.sessions.get(host)?.clone()));
            let nodes = fleet.iter().filter_map(of_node).collect();
            for (host, failure) in verify::ready(session, expected.clone(), &nodes, &self.interrupt).await {
                self.fail(&host, failure);
            }
        }
        let changed = |host: &String| {
            self.tallies.get(host).is_some_and(|tally| !tally.changed.is_empty() && tally.failure.is_none())
        };
        let mut hosts: Vec<String> = fleet.into_keys().filter(changed).collect();
        // What its API server says has a part in what the others still need.
        if let Some(expected) = expected.filter(|expected| !hosts.is_empty() && !hosts.contains(&expected.asked_on)) {
            hosts.push(expected.asked_on);
        }
        if !self.interrupt.is_set() {
            self.look_again(recipe, &hosts).await;
        }
    }

    async fn look_again(&mut self, recipe: &dyn Recipe, hosts: &[String]) {
        let mut tasks = Tasks::default();
        for host in hosts {
            let Some(session) = self.sessions.get(host).cloned() else { continue };
            let wanted = recipe.wanted(host);
            tasks.spawn(host, async move { gather::facts(&session, &wanted).await });
        }
        let mut seen = Fleet::new();
        while let Some((host, facts)) = tasks.next().await {
            match facts.unwrap_or_else(Err) {
                Ok(facts) => {
                    self.fleet.insert(host.clone(), facts.clone());
                    seen.insert(host, facts);
                }
                Err(failure) => self.fail(&host, failure),
            }
        }
        // One that is slow to answer once has lost nothing.
        if !self.answering(recipe).await {
            return;
        }
        for plan in recipe.plan(&self.fleet).hosts().filter(|plan| seen.contains_key(&plan.host)) {
            match not_held(plan) {
                Some(failure) => self.fail(&plan.host, failure),
                None => self.record_again(plan).await,
            }
        }
    }

    /// What was taken back in this run is forgotten, so that nobody's own is later taken for kfleet's.
    async fn record_again(&mut self, plan: &HostPlan) {
        let (Some(record), Some(session)) = (&plan.record, self.sessions.get(&plan.host)) else { return };
        let turn = session.turn().await;
        if let Err(failure) = apply::actions(session, &turn, &[record], None).await {
            self.fail(&plan.host, failure);
        }
    }
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
