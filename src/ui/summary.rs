use std::path::PathBuf;
use std::time::Duration;

use crate::base::printable;
use crate::events::{Outcome, Tally};

use super::problems::{borderless, count};
use super::took::took;

/// The end of a run: a table with a line a host, then the run in one line.
pub(super) fn summary(
    outcome: Outcome,
    tallies: &[(String, Tally)],
    duration: Duration,
    columns: Option<usize>,
) -> Vec<String> {
    let mut table = borderless(columns);
    table.set_header(["HOST", "CHANGED", "TIME", "RESULT"]);
    for (host, tally) in tallies {
        let changed = if tally.changed.is_empty() { "nothing".to_owned() } else { tally.changed.join(", ") };
        table.add_row([host, &changed, &took(tally.took), &result(tally)].map(|cell| printable(cell)));
    }
    let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.push(String::new());
    lines.push(total(outcome, tallies, duration));
    lines
}

fn result(tally: &Tally) -> String {
    match &tally.failure {
        None => "ok".to_owned(),
        Some(failure) => match &failure.step {
            None => format!("failed: {}", failure.reason),
            Some(step) => format!("failed: {step}: {}", failure.reason),
        },
    }
}

fn total(outcome: Outcome, tallies: &[(String, Tally)], duration: Duration) -> String {
    let changed: usize = tallies.iter().map(|(_, tally)| tally.changed.len()).sum();
    let failed = tallies.iter().filter(|(_, tally)| tally.failure.is_some()).count();
    let nothing = if changed == 0 && outcome == Outcome::Succeeded { "nothing to change: " } else { "" };
    let hosts = count(tallies.len(), "host");
    format!("{hosts}: {nothing}{changed} changed, {failed} failed, in {}", took(duration))
}

/// Where a file went.
pub(super) fn saved((what, path): &(String, PathBuf)) -> String {
    printable(&format!("{what}: {}", path.display()))
}
