use crate::base::printable;
use crate::events::{Event, Severity};

use super::line::{Line, Tone};
use super::table::{count, table_lines};

/// Preflight's findings: all problems of all hosts are told at once, in one table.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

#[derive(Debug)]
struct Problem {
    severity: Severity,
    cells: [String; 5],
}

impl Problems {
    /// Keeps the event if it is a problem, and says whether it was.
    pub(super) fn collect(&mut self, event: &Event) -> bool {
        let Event::ProblemFound { host, severity, check, reason, hint } = event else { return false };
        let word = match severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let host = host.as_deref().unwrap_or("(all)");
        let cells = [word, host, check, reason, hint.as_deref().unwrap_or_default()].map(printable);
        self.0.push(Problem { severity: *severity, cells });
        true
    }

    /// The table of what was collected, errors first, and an empty collection.
    pub(super) fn take(&mut self, columns: Option<usize>) -> Vec<Line> {
        let mut problems = std::mem::take(&mut self.0);
        if problems.is_empty() {
            return Vec::new();
        }
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        let warnings = problems.len() - errors;
        let header = ["", "HOST", "CHECK", "PROBLEM", "HINT"].map(str::to_owned);
        let table = table_lines(header, problems.into_iter().map(|problem| problem.cells), columns);
        let tone = if errors > 0 { Tone::Failure } else { Tone::Warning };
        let head = format!("preflight: {}, {}", count(errors, "error"), count(warnings, "warning"));
        let mut lines = vec![Line::new(tone, &head)];
        lines.extend(table.iter().map(|line| Line::new(Tone::Even, line)));
        lines
    }
}
