use std::time::Duration;

use crate::facts::Facts;

use super::super::{Action, Change, RunScript, Step};
use super::Phase;

/// A host knows how far it has come in a beginning anew, for a run that goes on with it.
pub struct ScratchMark {
    first: &'static str,
    words: String,
    told: &'static str,
}

/// A pod that came after the host was asked has made these anew, with addresses that its next subnet does not have; by now no
/// kubelet runs that could make them once more.
const LINKS: &str = "for link in cni0 flannel.1; do
    [ ! -e \"/sys/class/net/$link\" ] || ip link delete \"$link\"
done
rm -rf /run/flannel /var/lib/cni/networks
";

impl ScratchMark {
    /// What the host was is taken away.
    #[must_use]
    pub fn reset(id: &str) -> Self {
        Self { first: LINKS, words: format!("{id} reset"), told: "the old cluster's node is gone from here" }
    }

    /// Everything came to its end, in this run.
    #[must_use]
    pub fn done(id: &str, run: &str) -> Self {
        Self { first: "", words: format!("{id} done {run}"), told: "every host is in the new cluster" }
    }
}

impl Step for ScratchMark {
    fn name(&self) -> &'static str {
        "begun-anew"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        let run = RunScript {
            command: format!("note that {}", self.told),
            script: format!("{}{}", self.first, Phase::script(&self.words)),
            deadline: Duration::from_secs(20),
        };
        Change::Some { diff: vec![format!("+ {}", self.told)], actions: vec![Action::Run(run)], record: Vec::new() }
    }
}
