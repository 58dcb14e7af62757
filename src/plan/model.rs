use crate::doctor::Finding;
use crate::events::Severity;
use crate::steps::{Action, Change, Yields};

/// All that is to be done, wave by wave and host by host.
#[derive(Debug, Default)]
pub struct Plan {
    /// One after the other. A host that failed in one is left out of those after it.
    pub waves: Vec<Wave>,
    /// The cluster's CA certificate (PEM), where it is known beforehand: a join grant is held against it.
    pub ca: Option<String>,
}

/// What is done on many hosts at once. It begins when the wave before it has ended; within it no host waits for another but
/// for the join grant.
#[derive(Debug, Default)]
pub struct Wave {
    /// In inventory order; hosts that are left out of the run are not in it.
    pub hosts: Vec<HostPlan>,
    /// How many of its hosts may fail and the next wave still begins.
    pub may_fail: usize,
}

/// What is to be done on one host.
#[derive(Debug)]
pub struct HostPlan {
    /// Its name in the inventory.
    pub host: String,
    /// The host's record of what was there before kfleet, where it is not up to date: written before everything else,
    /// so that an interrupted change cannot lose what was there before it.
    pub record: Option<Planned>,
    /// In order.
    pub stages: Vec<Stage>,
}

/// Steps that go together: all their actions run in one round trip, as soon as what they need is there.
#[derive(Debug)]
pub struct Stage {
    /// In order.
    pub steps: Vec<Planned>,
}

/// A step and what it has to do.
#[derive(Debug)]
pub struct Planned {
    /// The step's name.
    pub step: &'static str,
    /// What it has to do.
    pub change: Change,
    /// Whether what it does is gone again when the run ends, as a join token is: no change to report.
    pub passing: bool,
}

impl Plan {
    /// What every host has to do, wave by wave; a host that is in several waves comes up in each.
    pub fn hosts(&self) -> impl Iterator<Item = &HostPlan> {
        self.waves.iter().flat_map(|wave| &wave.hosts)
    }
}

impl Wave {
    /// These hosts, none of which may fail if there is a wave after this one.
    #[must_use]
    pub fn of(hosts: Vec<HostPlan>) -> Self {
        Self { hosts, may_fail: 0 }
    }
}

impl HostPlan {
    /// Whether the host has the join grant to give.
    #[must_use]
    pub fn yields_grant(&self) -> bool {
        let mut actions = self.planned().flat_map(|planned| planned.change.actions());
        actions.any(|action| action.yields() == Some(Yields::JoinGrant))
    }

    /// Whether any of its stages waits for the join grant.
    #[must_use]
    pub fn needs_grant(&self) -> bool {
        self.stages.iter().any(Stage::needs_grant)
    }

    /// The steps that must not touch this host, as findings.
    #[must_use]
    pub fn refusals(&self) -> Vec<Finding> {
        let refusal = |planned: &Planned| match &planned.change {
            Change::Refused { reason, hint } => {
                let finding = Finding::of_host(&self.host, Severity::Error, planned.step, reason.clone());
                Some(finding.with_hint(hint.clone()))
            }
            Change::None { .. } | Change::Some { .. } => None,
        };
        self.planned().filter_map(refusal).collect()
    }

    /// The record and every step of every stage, in order.
    pub fn planned(&self) -> impl Iterator<Item = &Planned> {
        self.record.iter().chain(self.stages.iter().flat_map(|stage| &stage.steps))
    }
}

impl Stage {
    /// Whether one of its actions is made of the join grant: the host waits for nothing else.
    #[must_use]
    pub fn needs_grant(&self) -> bool {
        self.steps.iter().flat_map(|planned| planned.change.actions()).any(Action::needs_grant)
    }
}
