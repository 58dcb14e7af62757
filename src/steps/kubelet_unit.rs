use std::time::Duration;

use crate::facts::{Facts, Job};

use super::difference::Difference;
use super::{Action, Change, Recorded, RunScript, Step};

const KUBELET: &str = include_str!("../../templates/kubelet.sh");

/// kubelet.service starts at boot, and runs where the host is a node. On another it is not started here: kubeadm does that, once it
/// has a configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct KubeletUnit;

impl Step for KubeletUnit {
    fn name(&self) -> &'static str {
        "kubelet-unit"
    }

    fn plan(&self, facts: &Facts) -> Change {
        if !facts.kubelet.exists {
            return Change::Refused {
                reason: "there is no kubelet.service".to_owned(),
                hint: "install the kubelet's package, of the same version as kubeadm's".to_owned(),
            };
        }
        let mut change = Difference::default();
        if !facts.kubelet.enabled {
            change.diff.push("+ kubelet.service starts at boot".to_owned());
            let command = "systemctl enable kubelet.service".to_owned();
            let script = format!("{command}\n");
            change.actions.push(Action::Run(RunScript { command, script, deadline: Duration::from_secs(60) }));
            change.record.push(Recorded {
                kind: "unit".to_owned(),
                item: "kubelet.service".to_owned(),
                before: Some("disabled".to_owned()),
            });
        }
        if !facts.kubelet.active && is_node(facts) {
            change.diff.push("+ kubelet.service runs".to_owned());
            change.actions.push(Action::Run(RunScript {
                command: "systemctl restart kubelet.service".to_owned(),
                script: format!("{KUBELET}kubelet_runs\n"),
                deadline: Duration::from_secs(90),
            }));
        }
        change.or_none("kubelet.service starts at boot")
    }
}

/// Whether nothing but its kubelet keeps the host from being a node. What a job left half made is the business of who finishes it.
fn is_node(facts: &Facts) -> bool {
    facts.kubeadm.kubeconfigs.contains_key("kubelet") && facts.jobs.values().all(|job| *job == Job::Finished(0))
}
