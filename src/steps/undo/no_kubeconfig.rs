use std::time::Duration;

use crate::base::quote;
use crate::facts::{Facts, Wanted};
use crate::steps::refusal::Refusal;
use crate::steps::{Action, AdminKubeconfig, Change, Record, RunScript, Step};

/// The user that logs in has no admin kubeconfig of kfleet's any more. One that was changed since is the user's own.
///
/// To be told while /etc/kubernetes/admin.conf is there, or with what the workstation has kept of it.
#[derive(Debug, Clone, Default)]
pub struct NoKubeconfig {
    /// SHA-256 of the kubeconfig that the workstation has kept.
    pub kept: Option<String>,
}

impl NoKubeconfig {
    fn difference(&self, facts: &Facts) -> Result<Change, Refusal> {
        let remains = &facts.remains;
        let ours = |path: &str| {
            Ok(Record::of(facts)?.entries().any(|entry| entry.kind == AdminKubeconfig::RECORDED && entry.item == path))
        };
        let Some((digest, path)) = &remains.kubeconfig else { return Ok(Change::none("there is none")) };
        if !ours(path)? {
            return Ok(Change::none(format!("{path} was not put there by kfleet: left alone")));
        }
        if ![&remains.admin_digest, &self.kept].into_iter().flatten().any(|admin| admin == digest) {
            return Ok(Change::none(format!("{path} is not as kfleet put it there: left alone")));
        }
        let run = RunScript {
            command: format!("rm {path}"),
            // By the user itself: root must not follow links in a directory that is not its own.
            script: format!(
                "runuser -u {} -- /bin/sh -c 'rm -f -- \"$1\"' sh {}\n",
                quote(&facts.login.user),
                quote(path)
            ),
            deadline: Duration::from_secs(20),
        };
        Ok(Change::Some { diff: vec![format!("- {path}")], actions: vec![Action::Run(run)], record: Vec::new() })
    }
}

impl Step for NoKubeconfig {
    fn name(&self) -> &'static str {
        "admin-kubeconfig"
    }

    fn probe(&self) -> Wanted {
        Record::wanted()
    }

    fn plan(&self, facts: &Facts) -> Change {
        self.difference(facts).unwrap_or_else(Change::from)
    }
}
