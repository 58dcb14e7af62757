use std::path::PathBuf;
use std::time::Duration;

use crate::base::printable;
use crate::events::{Failure, Outcome, Tally};

use super::table::{count, table_lines};
use super::took::took;

/// The end of a run: a table with a line a host, then the run in one line, then who failed.
pub(super) fn summary(
    outcome: Outcome,
    tallies: &[(String, Tally)],
    duration: Duration,
    columns: Option<usize>,
) -> Vec<String> {
    let failed: Vec<&str> =
        tallies.iter().filter(|(_, tally)| tally.failure.is_some()).map(|(host, _)| host.as_str()).collect();
    // The run was stopped for all of them, and none is to blame: a host that nothing was done on is not "ok".
    let stopped = outcome != Outcome::Succeeded && failed.is_empty();
    let rows = tallies.iter().map(|(host, tally)| {
        let changed = if tally.changed.is_empty() { "nothing".to_owned() } else { tally.changed.join(", ") };
        [host.clone(), changed, took(tally.took), result(tally, stopped)].map(|cell| printable(&cell))
    });
    let mut lines = table_lines(["HOST", "CHANGED", "TIME", "RESULT"].map(str::to_owned), rows, columns);
    lines.push(String::new());

    let changed: usize = tallies.iter().map(|(_, tally)| tally.changed.len()).sum();
    let nothing = if changed == 0 && outcome == Outcome::Succeeded { "nothing to change: " } else { "" };
    let hosts = count(tallies.len(), "host");
    let ended = if stopped { "stopped".to_owned() } else { format!("{} failed", failed.len()) };
    lines.push(format!("{hosts}: {nothing}{changed} changed, {ended}, in {}", took(duration)));
    if !failed.is_empty() {
        lines.push(printable(&format!("failed: {}", failed.join(" "))));
    }
    lines
}

fn result(tally: &Tally, stopped: bool) -> String {
    match &tally.failure {
        None if stopped => "stopped".to_owned(),
        None => "ok".to_owned(),
        Some(Failure { step: None, reason, .. }) => format!("failed: {reason}"),
        Some(Failure { step: Some(step), reason, .. }) => format!("failed: {step}: {reason}"),
    }
}

/// Where a file went.
pub(super) fn saved((what, path): &(String, PathBuf)) -> String {
    printable(&format!("{what}: {}", path.display()))
}
