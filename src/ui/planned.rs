use std::time::Duration;

use crate::base::printable;
use crate::events::{Outcome, PlannedAction, Tally};

use super::table::count;
use super::took::took;

/// What a step would do on a host: the lines of its diff, then each command and file.
pub(super) fn planned(host: &str, step: &str, diff: &[String], actions: &[PlannedAction]) -> Vec<String> {
    let mut lines = vec![format!("{host}: {step}")];
    lines.extend(diff.iter().map(|line| format!("    {line}")));
    for action in actions {
        lines.push(format!("  > {}", action.what));
        lines.extend(action.diff.iter().map(|line| format!("    {line}")));
    }
    lines.iter().map(|line| printable(line)).collect()
}

/// The end of a plan: how much would change, then which hosts could not be asked or must not be touched.
pub(super) fn foreseen(outcome: Outcome, tallies: &[(String, Tally)], duration: Duration) -> Vec<String> {
    let hosts = tallies.iter().filter(|(_, tally)| !tally.changed.is_empty()).count();
    let steps: usize = tallies.iter().map(|(_, tally)| tally.changed.len()).sum();
    let failed: Vec<&str> =
        tallies.iter().filter(|(_, tally)| tally.failure.is_some()).map(|(host, _)| host.as_str()).collect();
    let would = match (steps, outcome) {
        (0, Outcome::Succeeded) => "nothing would change".to_owned(),
        (0, Outcome::Failed(_)) => "nothing was planned".to_owned(),
        _ => format!("{} on {} would change", count(steps, "step"), count(hosts, "host")),
    };
    let mut lines = vec![format!("{}: {would}, in {}", count(tallies.len(), "host"), took(duration))];
    if !failed.is_empty() {
        lines.push(printable(&format!("failed: {}", failed.join(" "))));
    }
    lines
}
