use std::iter;
use std::time::Duration;

use crate::facts::{Facts, Wanted};
use crate::steps::{Action, Begun, Change, RunScript, Step};

/// kfleet's own directory is gone, the record with it. The last of all: without the record nobody knows what was before.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRecord;

const DIRECTORY: &str = "/var/lib/kfleet";

impl NoRecord {
    /// What goes with it that somebody may want back: snapshots of etcd, and what was put aside of an old cluster.
    #[must_use]
    pub fn lost(facts: &Facts) -> Vec<String> {
        let taken: Vec<String> = facts.backups.iter().flatten().map(|backup| backup.taken.to_string()).collect();
        let backups = match taken.as_slice() {
            [] => None,
            [only] => Some(format!("the backup of etcd and /etc/kubernetes of {only}")),
            [first, .., last] => {
                Some(format!("{} backups of etcd and /etc/kubernetes, of {first} to {last}", taken.len()))
            }
        };
        let aside = Begun::of(facts).map(|begun| format!("the old cluster that was put aside in {}", begun.backup()));
        backups.into_iter().chain(aside).collect()
    }
}

impl Step for NoRecord {
    fn name(&self) -> &'static str {
        "forget"
    }

    fn probe(&self) -> Wanted {
        Wanted { places: [DIRECTORY.to_owned()].into(), backups: true, ..Begun::wanted() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        if facts.places.get(DIRECTORY) != Some(&true) {
            return Change::none("kfleet has nothing here");
        }
        let command = format!("rm -rf {DIRECTORY}");
        let run = RunScript { script: format!("{command}\n"), command, deadline: Duration::from_secs(20) };
        let lost = Self::lost(facts).into_iter().map(|lost| format!("- {lost}"));
        let diff = iter::once(format!("- {DIRECTORY}")).chain(lost).collect();
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
