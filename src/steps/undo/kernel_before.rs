use std::time::Duration;

use crate::base::{printable, quote};
use crate::facts::{Facts, Wanted};
use crate::inventory;
use crate::steps::difference::Difference;
use crate::steps::kernel::{MODULES, SYSCTLS, Unset, set, sort, words};
use crate::steps::own_file::HEADER;
use crate::steps::refusal::{Refusal, read};
use crate::steps::{Action, Change, Contents, Kernel, Record, Recorded, RunScript, Step, WriteFile};

/// The kernel's settings are what the record says they were, and kfleet's files for the next boot are gone. Modules stay
/// loaded until then: nobody can tell who else uses them by now.
#[derive(Debug, Clone)]
pub struct KernelBefore(Kernel);

impl KernelBefore {
    /// Of a host that had what the inventory wants.
    #[must_use]
    pub fn new(kernel: &inventory::Kernel) -> Self {
        Self(Kernel::new(kernel))
    }

    fn difference(facts: &Facts) -> Result<Change, Refusal> {
        let entries: Vec<Recorded> = Record::of(facts)?.entries().collect();
        let mut change = Difference::default();
        for path in [MODULES, SYSCTLS] {
            file(path, facts, &entries, &mut change)?;
        }
        let unset = unset(facts, &entries);
        for Unset { key, wanted, now } in &unset {
            let was = now.map_or_else(String::new, |now| format!(" (was {})", printable(now)));
            change.diff.push(format!("+ {key} = {}{was}", printable(wanted)));
        }
        if !unset.is_empty() {
            change.actions.push(Action::Run(set(&unset)));
        }
        Ok(change.or_none("no setting and no file of kfleet's is here"))
    }
}

/// Puts one of kfleet's files back to what was there; without an entry in the record, one that says it is kfleet's goes.
fn file(path: &str, facts: &Facts, entries: &[Recorded], change: &mut Difference) -> Result<(), Refusal> {
    let Some(now) = read(facts, path)? else { return Ok(()) };
    let recorded = entries.iter().find(|entry| entry.kind == "file" && entry.item == path);
    match recorded.map(|entry| &entry.before) {
        Some(Some(before)) if before == now => {}
        Some(Some(before)) => {
            change.diff.push(format!("~ {path}, as it was"));
            change.actions.push(Action::Write(WriteFile {
                path: path.to_owned(),
                contents: Contents::Text(before.clone()),
                mode: None,
                replaces: Some(now.to_owned()),
            }));
        }
        None if !now.starts_with(HEADER) => {}
        Some(None) | None => {
            change.diff.push(format!("- {path}"));
            change.actions.push(remove(path));
        }
    }
    Ok(())
}

/// The sysctls that hold another value than before kfleet, or of which that is not known.
fn unset<'a>(facts: &'a Facts, entries: &'a [Recorded]) -> Vec<Unset<'a>> {
    let before = entries.iter().filter(|entry| entry.kind == "sysctl");
    let mut unset: Vec<_> = before
        .filter_map(|entry| Some((entry.item.as_str(), entry.before.as_deref()?)))
        .filter_map(|(key, wanted)| match facts.sysctls.get(key) {
            // The kernel has it no more.
            Some(None) => None,
            Some(Some(now)) if words(now) == words(wanted) => None,
            now => Some(Unset {
                key,
                wanted: words(wanted).into(),
                now: now.and_then(Option::as_deref).map(str::trim_end),
            }),
        })
        .collect();
    sort(&mut unset);
    unset
}

pub(super) fn remove(path: &str) -> Action {
    let command = format!("rm -f {}", quote(path));
    Action::Run(RunScript { script: format!("{command}\n"), command, deadline: Duration::from_secs(20) })
}

impl Step for KernelBefore {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn probe(&self) -> Wanted {
        Record::wanted().and(self.0.probe())
    }

    fn plan(&self, facts: &Facts) -> Change {
        Self::difference(facts).unwrap_or_else(Change::from)
    }
}
