use crate::doctor::Finding;
use crate::events::Severity;
use crate::steps::{Action, Change, Recorded, Yields};

/// All that is to be done, host by host.
#[derive(Debug, Default)]
pub struct Plan {
    /// In inventory order; hosts that are left out of the run are not in it.
    pub hosts: Vec<HostPlan>,
    /// The cluster's CA certificate (PEM), where it is known beforehand: a join grant is held against it.
    pub ca: Option<String>,
}

/// What is to be done on one host.
#[derive(Debug)]
pub struct HostPlan {
    /// Its name in the inventory.
    pub host: String,
    /// In order.
    pub stages: Vec<Stage>,
}

/// Steps that go together: all their actions run in one round trip, as soon as what they need is there.
#[derive(Debug)]
pub struct Stage {
    /// What must exist before the stage begins; the host waits for nothing else.
    pub needs: Option<Need>,
    /// In order.
    pub steps: Vec<Planned>,
}

/// What a stage may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The join grant: known after init, or after a token was made.
    JoinGrant,
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

impl HostPlan {
    /// Whether the host has the join grant to give.
    #[must_use]
    pub fn yields_grant(&self) -> bool {
        self.planned().flat_map(Planned::actions).any(|action| match action {
            Action::Capture(yields, _) => *yields == Yields::JoinGrant,
            Action::Detach(job) => job.yields == Some(Yields::JoinGrant),
            Action::Write(_) | Action::Run(_) => false,
        })
    }

    /// Whether a stage with something to do waits for the join grant.
    #[must_use]
    pub fn needs_grant(&self) -> bool {
        let waiting = self.stages.iter().filter(|stage| stage.needs == Some(Need::JoinGrant));
        waiting.flat_map(|stage| &stage.steps).any(|planned| !planned.actions().is_empty())
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

    /// Every step of every stage, in order.
    pub fn planned(&self) -> impl Iterator<Item = &Planned> {
        self.stages.iter().flat_map(|stage| &stage.steps)
    }
}

impl Planned {
    /// What there is to do, in order.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        match &self.change {
            Change::Some { actions, .. } => actions,
            Change::None { .. } | Change::Refused { .. } => &[],
        }
    }

    /// What the host's record is to hold of it.
    #[must_use]
    pub fn record(&self) -> &[Recorded] {
        match &self.change {
            Change::Some { record, .. } => record,
            Change::None { .. } | Change::Refused { .. } => &[],
        }
    }
}
