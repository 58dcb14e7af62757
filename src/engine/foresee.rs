//! A plan, told and not done.

use std::collections::BTreeMap;

use similar::TextDiff;

use crate::base::told;
use crate::events::{Event, PlannedAction, Tally};
use crate::plan::{HostPlan, Plan, Planned};
use crate::steps::{Action, Change, Contents, WriteFile};

use super::task::Task;

/// Tells what would be done on a host, step by step.
pub fn host(plan: &HostPlan, mut tell: impl FnMut(Event)) -> Tally {
    let mut tally = Tally::default();
    for planned in plan.planned() {
        let (host, step) = (plan.host.clone(), planned.step.to_owned());
        match &planned.change {
            Change::Some { diff, .. } => {
                let actions = Task::all(&[planned]).iter().map(action).collect();
                tell(Event::StepPlanned { host, step: step.clone(), diff: diff.clone(), actions });
                if !planned.passing {
                    tally.changed.push(step);
                }
            }
            Change::None { why } => {
                if !planned.passing {
                    tell(Event::StepUnchanged { host, step, why: why.clone() });
                    tally.unchanged += 1;
                }
            }
            // Told as a problem, and the host is left out.
            Change::Refused { .. } => {}
        }
    }
    tally
}

/// All that a plan would do, by host, to be held against another's.
pub fn all(plan: &Plan) -> BTreeMap<&str, Vec<String>> {
    let mut all = BTreeMap::<&str, Vec<String>>::new();
    for of_host in plan.hosts() {
        let steps = all.entry(&of_host.host).or_default();
        host(of_host, |event| {
            if let Event::StepPlanned { step, diff, actions, .. } = event {
                steps.push(format!("{step} {diff:?} {actions:?}"));
            }
        });
    }
    all
}

/// The steps that would change something on a host.
pub fn changed(plan: &HostPlan) -> Vec<String> {
    let changes = |planned: &&Planned| !planned.passing && matches!(planned.change, Change::Some { .. });
    plan.planned().filter(changes).map(|planned| planned.step.to_owned()).collect()
}

fn action(task: &Task<'_>) -> PlannedAction {
    let diff = match task.action {
        Action::Write(file) => file_diff(file),
        Action::Run(_) | Action::ComeBack(_) | Action::Capture(..) | Action::Detach(_) => Vec::new(),
    };
    let later = if task.action.needs_grant() { " (with a join grant that is known after init)" } else { "" };
    PlannedAction { what: told(&format!("{}{later}", task.command())), diff }
}

/// How a file would differ from what it must still hold for it to be replaced.
fn file_diff(file: &WriteFile) -> Vec<String> {
    let Contents::Text(text) = &file.contents else { return Vec::new() };
    let before = file.replaces.as_deref().unwrap_or_default();
    let diff = TextDiff::from_lines(before, text).unified_diff().context_radius(2).to_string();
    diff.lines().map(told).collect()
}
