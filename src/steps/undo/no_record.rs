use std::time::Duration;

use crate::facts::{Facts, Wanted};
use crate::steps::{Action, Change, RunScript, Step};

/// kfleet's own directory is gone, the record with it. The last of all: without the record nobody knows what was before.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRecord;

const DIRECTORY: &str = "/var/lib/kfleet";

impl Step for NoRecord {
    fn name(&self) -> &'static str {
        "forget"
    }

    fn probe(&self) -> Wanted {
        Wanted { places: [DIRECTORY.to_owned()].into(), ..Wanted::default() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        if facts.places.get(DIRECTORY) != Some(&true) {
            return Change::none("kfleet has nothing here");
        }
        let command = format!("rm -rf {DIRECTORY}");
        let run = RunScript { script: format!("{command}\n"), command, deadline: Duration::from_secs(20) };
        let diff = vec![format!("- {DIRECTORY}")];
        Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
