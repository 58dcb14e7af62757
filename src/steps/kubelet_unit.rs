use std::time::Duration;

use crate::facts::Facts;

use super::{Action, Change, Recorded, RunScript, Step};

/// kubelet.service starts at boot. It is not started here: kubeadm does that, once it has a configuration.
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
        if facts.kubelet.enabled {
            return Change::none("kubelet.service starts at boot");
        }
        Change::Some {
            diff: vec!["+ kubelet.service starts at boot".to_owned()],
            actions: vec![Action::Run(RunScript {
                command: "systemctl enable kubelet.service".to_owned(),
                script: "systemctl enable kubelet.service\n".to_owned(),
                deadline: Duration::from_secs(60),
            })],
            record: vec![Recorded {
                kind: "unit".to_owned(),
                item: "kubelet.service".to_owned(),
                before: Some("disabled".to_owned()),
            }],
        }
    }
}
