use similar::{ChangeTag, TextDiff};

use crate::base::printable;
use crate::facts::Facts;

use super::difference::Difference;
use super::refusal::{Refusal, read};
use super::{Action, Contents, Recorded, WriteFile};

/// A file that is kfleet's from its first byte to its last.
#[derive(Debug)]
pub(super) struct OwnFile<'a> {
    pub(super) path: &'a str,
    /// All of it but the header.
    pub(super) lines: String,
}

/// Stands above the lines, for whoever opens the file.
pub(super) const HEADER: &str = "# Written by kfleet: what is changed here is lost.\n";

impl OwnFile<'_> {
    /// Adds what brings the file to its lines. Without any line no file is made, and one that is there loses its own.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub(super) fn plan(self, facts: &Facts, change: &mut Difference) -> Result<(), Refusal> {
        let before = read(facts, self.path)?;
        let contents = format!("{HEADER}{}", self.lines);
        if before == Some(&contents) || (before.is_none() && self.lines.is_empty()) {
            return Ok(());
        }
        let lines = changed_lines(before.unwrap_or_default(), &contents);
        let told = lines.iter().filter(|line| !line[2..].starts_with('#'));
        change.diff.extend(told.map(|line| format!("{line} in {}", self.path)));
        change.record.push(Recorded {
            kind: "file".to_owned(),
            item: self.path.to_owned(),
            before: before.map(ToOwned::to_owned),
        });
        change.actions.push(Action::Write(WriteFile {
            path: self.path.to_owned(),
            contents: Contents::Text(contents),
            mode: None,
            replaces: before.map(ToOwned::to_owned),
        }));
        Ok(())
    }
}

/// The lines that differ, as `+ new` and `- old`; line ends do not count.
pub(super) fn changed_lines(before: &str, after: &str) -> Vec<String> {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    TextDiff::from_slices(&before, &after)
        .iter_all_changes()
        .filter_map(|change| {
            let sign = match change.tag() {
                ChangeTag::Equal => return None,
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            Some(format!("{sign} {}", printable(change.value())))
        })
        .collect()
}
