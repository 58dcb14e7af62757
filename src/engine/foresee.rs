//! A plan, told and not done.

use similar::TextDiff;

use crate::base::redact;
use crate::events::{Event, Events, PlannedAction, Tally};
use crate::plan::{HostPlan, Planned};
use crate::steps::{Action, Change, Contents, WriteFile};

use super::task::Task;

/// Tells what would be done on a host, step by step.
pub fn host(plan: &HostPlan, events: &Events) -> Tally {
    let mut tally = Tally::default();
    for planned in plan.planned() {
        let (host, step) = (plan.host.clone(), planned.step.to_owned());
        match &planned.change {
            Change::Some { diff, .. } => {
                let actions = Task::all(&[planned]).iter().map(action).collect();
                events.tell(Event::StepPlanned { host, step: step.clone(), diff: diff.clone(), actions });
                if !planned.passing {
                    tally.changed.push(step);
                }
            }
            Change::None { why } => {
                if !planned.passing {
                    events.tell(Event::StepUnchanged { host, step, why: why.clone() });
                    tally.unchanged += 1;
                }
            }
            // Told as a problem, and the host is left out.
            Change::Refused { .. } => {}
        }
    }
    tally
}

/// The steps that would change something on a host.
pub fn changed(plan: &HostPlan) -> Vec<String> {
    let changes = |planned: &&Planned| !planned.passing && matches!(planned.change, Change::Some { .. });
    plan.planned().filter(changes).map(|planned| planned.step.to_owned()).collect()
}

fn action(task: &Task<'_>) -> PlannedAction {
    let diff = match task.action {
        Action::Write(file) => file_diff(file),
        Action::Run(_) | Action::Capture(..) | Action::Detach(_) => Vec::new(),
    };
    let later = if task.action.needs_grant() { " (with a join grant that is known after init)" } else { "" };
    PlannedAction { what: redact(&format!("{}{later}", task.command())), diff }
}

/// How a file would differ from what it must still hold for it to be replaced.
fn file_diff(file: &WriteFile) -> Vec<String> {
    let Contents::Text(text) = &file.contents else { return Vec::new() };
    let before = file.replaces.as_deref().unwrap_or_default();
    let diff = TextDiff::from_lines(before, text).unified_diff().context_radius(2).to_string();
    diff.lines().map(redact).collect()
}
