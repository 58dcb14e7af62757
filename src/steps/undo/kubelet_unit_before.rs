use std::time::Duration;

use crate::facts::{Facts, Wanted};
use crate::steps::refusal::Refusal;
use crate::steps::{Action, Change, Record, RunScript, Step};

/// kubelet.service starts at boot only where it did before kfleet.
#[derive(Debug, Clone, Copy, Default)]
pub struct KubeletUnitBefore;

impl KubeletUnitBefore {
    fn difference(facts: &Facts) -> Result<Change, Refusal> {
        let ours = Record::of(facts)?.entries().any(|entry| entry.kind == "unit" && entry.item == "kubelet.service");
        if !ours || !facts.kubelet.enabled {
            return Ok(Change::none("kubelet.service starts at boot as it did before"));
        }
        let command = "systemctl disable kubelet.service".to_owned();
        let run = RunScript { script: format!("{command}\n"), command, deadline: Duration::from_secs(60) };
        let diff = vec!["- kubelet.service starts at boot".to_owned()];
        Ok(Change::Some { diff, actions: vec![Action::Run(run)], record: Vec::new() })
    }
}

impl Step for KubeletUnitBefore {
    fn name(&self) -> &'static str {
        "kubelet-unit"
    }

    fn probe(&self) -> Wanted {
        Record::wanted()
    }

    fn plan(&self, facts: &Facts) -> Change {
        Self::difference(facts).unwrap_or_else(Change::from)
    }
}
