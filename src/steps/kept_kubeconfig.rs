use std::time::Duration;

use crate::facts::{Facts, Kubeconfig};

use super::{Action, Change, RunScript, Step, Yields};

/// The workstation has the cluster's admin kubeconfig.
#[derive(Debug, Clone, Copy)]
pub struct KeptKubeconfig<'a> {
    kept: Option<&'a str>,
}

impl<'a> KeptKubeconfig<'a> {
    /// With what the workstation has kept of this cluster, if anything.
    #[must_use]
    pub fn new(kept: Option<&'a str>) -> Self {
        Self { kept }
    }
}

impl Step for KeptKubeconfig<'_> {
    fn name(&self) -> &'static str {
        "kept-kubeconfig"
    }

    fn plan(&self, facts: &Facts) -> Change {
        let kept = self.kept.and_then(Kubeconfig::parse);
        // One of an older cluster, or with an older address, leads nowhere.
        if kept.is_some() && kept.as_ref() == facts.kubeadm.kubeconfigs.get("admin") {
            return Change::none("the workstation has it");
        }
        let command = "cat /etc/kubernetes/admin.conf".to_owned();
        let run = RunScript { script: command.clone(), command, deadline: Duration::from_secs(20) };
        Change::Some {
            diff: vec!["+ the admin kubeconfig, on the workstation".to_owned()],
            actions: vec![Action::Capture(Yields::AdminKubeconfig, run)],
            record: Vec::new(),
        }
    }
}
