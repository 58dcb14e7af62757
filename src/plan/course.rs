use crate::facts::{Facts, Wanted};
use crate::inventory::Host;
use crate::steps::{Change, Recorded, Step, missing_places, record_action};

use super::{HostPlan, Planned, Stage};

/// A stage of a recipe, before it is known what it has to do.
pub(super) struct Course<'a> {
    passing: bool,
    steps: Vec<Box<dyn Step + 'a>>,
}

impl<'a> Course<'a> {
    pub(super) fn new(steps: Vec<Box<dyn Step + 'a>>) -> Self {
        Self { passing: false, steps }
    }

    /// What it does is gone when the run ends.
    pub(super) fn passing(self) -> Self {
        Self { passing: true, ..self }
    }

    /// What must be read for it.
    pub(super) fn probe(&self) -> Wanted {
        self.steps.iter().map(|step| step.probe()).fold(Wanted::default(), Wanted::and)
    }

    pub(super) fn plan(&self, facts: &Facts) -> Stage {
        let planned = |step: &dyn Step| Planned {
            step: step.name(),
            change: step.plan(facts).in_safe_words(),
            passing: self.passing,
        };
        Stage { steps: self.steps.iter().map(|step| planned(step.as_ref())).collect() }
    }
}

/// What a host has to do of these courses, the record of what was there before included.
pub(super) fn host_plan(host: &Host, courses: &[Course<'_>], facts: &Facts) -> HostPlan {
    let stages: Vec<Stage> = courses.iter().map(|course| course.plan(facts)).collect();
    let changes = stages.iter().flat_map(|stage| &stage.steps).map(|planned| &planned.change);
    let entries: Vec<Recorded> = changes.flat_map(Change::record).cloned().chain(missing_places(facts)).collect();
    HostPlan { host: host.name.clone(), record: record(facts, &entries), stages }
}

/// What a host does in a later wave than its first, which has written its record.
pub(super) fn later_plan(host: &Host, courses: Vec<Course<'_>>, facts: &Facts) -> HostPlan {
    let courses: Vec<_> = courses.into_iter().map(Course::passing).collect();
    HostPlan { record: None, ..host_plan(host, &courses, facts) }
}

/// The host's record with these entries, if it is to be written.
pub(super) fn record(facts: &Facts, entries: &[Recorded]) -> Option<Planned> {
    let change = match record_action(facts, entries).transpose()? {
        Ok(action) => Change::Some { diff: Vec::new(), actions: vec![action], record: Vec::new() },
        Err(refusal) => refusal.into(),
    };
    Some(Planned { step: "record", change, passing: true })
}
