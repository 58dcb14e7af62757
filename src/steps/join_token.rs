use std::time::Duration;

use crate::facts::Facts;

use super::{Action, Change, RunScript, Step, Yields};

/// The control plane has a join token to give, for the length of a run.
pub struct JoinToken {
    wanted: bool,
}

impl JoinToken {
    /// A token, if any worker wants one.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        Self { wanted }
    }
}

impl Step for JoinToken {
    fn name(&self) -> &'static str {
        "join-token"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        if !self.wanted {
            return Change::none("no worker needs one");
        }
        let command = "kubeadm token create --ttl 30m --print-join-command".to_owned();
        let script = format!("export KUBECONFIG=/etc/kubernetes/admin.conf\n{command}\ncat /etc/kubernetes/pki/ca.crt");
        let run = RunScript { command, script, deadline: Duration::from_secs(60) };
        Change::Some {
            diff: vec!["+ a join token, for this run".to_owned()],
            actions: vec![Action::Capture(Yields::JoinGrant, run)],
            record: Vec::new(),
        }
    }
}
