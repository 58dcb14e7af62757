use std::time::Duration;

use crate::base::quote;
use crate::facts::Facts;

use super::super::{Action, Change, RunScript, Step};

/// A Node's kubelet is heard of: it renews its lease. Its Ready condition may be older than its last restart.
pub struct FreshLease {
    node: Option<String>,
}

impl FreshLease {
    /// Of this Node, if any is to be proven.
    #[must_use]
    pub fn of(node: Option<String>) -> Self {
        Self { node }
    }
}

impl Step for FreshLease {
    fn name(&self) -> &'static str {
        "fresh-lease"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        let Some(node) = &self.node else { return Change::none("nobody waits for it") };
        // A kubelet renews every ten seconds.
        let script = format!(
            "renewed() {{
    kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=5s get lease -n kube-node-lease {node} \\
        -o 'jsonpath={{.spec.renewTime}}' || :
}}
before=$(renewed)
for second in $(seq 60); do
    now=$(renewed)
    if [ -n \"$now\" ] && [ \"$now\" != \"$before\" ]; then
        echo '[kfleet] its lease was renewed'
        exit 0
    fi
    sleep 1
done
echo \"the lease was not renewed since $before\"
exit 1",
            node = quote(node),
        );
        let run = RunScript {
            command: format!("wait for {node} to renew its lease"),
            script,
            deadline: Duration::from_secs(120),
        };
        Change::Some {
            diff: vec![format!("+ {node} renews its lease")],
            actions: vec![Action::Run(run)],
            record: Vec::new(),
        }
    }
}
