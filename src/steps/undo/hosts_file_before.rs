use crate::facts::{Facts, Wanted};
use crate::steps::difference::Difference;
use crate::steps::hosts_file::{BLOCK, NO_FILE, NO_LINE_END, PATH, half_a_block};
use crate::steps::own_file::changed_lines;
use crate::steps::refusal::{Refusal, read};
use crate::steps::{Action, Change, Contents, Record, Step, WriteFile};

use super::kernel_before::remove;

/// /etc/hosts has no block of kfleet's any more; every other byte stays, and a last line that had no end has none again.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostsFileBefore;

impl HostsFileBefore {
    fn difference(facts: &Facts) -> Result<Change, Refusal> {
        let Some(current) = read(facts, PATH)? else { return Ok(Change::none("there is no /etc/hosts")) };
        let mut after = BLOCK.remove(current).map_err(half_a_block)?;
        if after == current {
            return Ok(Change::none("no line of it is kfleet's"));
        }
        let entry = Record::of(facts)?.entries().find(|entry| entry.kind == "block" && entry.item == PATH);
        let before = entry.and_then(|entry| entry.before);
        // Lines that somebody wrote behind the block need the line end.
        if before.as_deref() == Some(NO_LINE_END) && current.starts_with(&after) && after.ends_with('\n') {
            after.pop();
        }
        let mut change = Difference { diff: changed_lines(current, &after), ..Difference::default() };
        change.actions.push(if before.as_deref() == Some(NO_FILE) && after.is_empty() {
            remove(PATH)
        } else {
            Action::Write(WriteFile {
                path: PATH.to_owned(),
                contents: Contents::Text(after),
                mode: None,
                replaces: Some(current.to_owned()),
            })
        });
        Ok(change.or_none(""))
    }
}

impl Step for HostsFileBefore {
    fn name(&self) -> &'static str {
        "hosts-file"
    }

    fn probe(&self) -> Wanted {
        Record::wanted().and(Wanted { files: [PATH.to_owned()].into(), ..Wanted::default() })
    }

    fn plan(&self, facts: &Facts) -> Change {
        Self::difference(facts).unwrap_or_else(Change::from)
    }
}
