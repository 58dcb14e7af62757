use std::time::Duration;

use crate::base::quote;
use crate::facts::Facts;

use super::super::{Action, Change, RunScript, Step};
use super::RestoreProgress;

/// Every kubelet is heard of since etcd went back to a snapshot, and the restore is over; looked at where the API server is.
pub struct RestoredFleet {
    nodes: Vec<String>,
    run: String,
}

const DEADLINE: Duration = Duration::from_secs(180);

impl RestoredFleet {
    /// Of these Nodes; by this run, called as a restore that it had begun would be.
    #[must_use]
    pub fn of(nodes: Vec<String>, run: String) -> Self {
        Self { nodes, run }
    }
}

impl Step for RestoredFleet {
    fn name(&self) -> &'static str {
        "fresh-leases"
    }

    fn plan(&self, _facts: &Facts) -> Change {
        // A kubelet renews every ten seconds; what the snapshot says of it is old.
        let script = format!(
            "umask 077
leases() {{
    kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=5s get lease -n kube-node-lease \\
        -o 'jsonpath={{range .items[*]}}{{.metadata.name}} {{.spec.renewTime}}{{\"\\n\"}}{{end}}' || :
}}
before=$(leases)
silent={nodes}
for second in $(seq 120); do
    now=$(leases)
    waited=
    for node in $silent; do
        lease=$(printf '%s\\n' \"$now\" | grep \"^$node \") || lease=
        if [ -z \"$lease\" ] || printf '%s\\n' \"$before\" | grep -qxF \"$lease\"; then waited=\"$waited $node\"; fi
    done
    silent=$waited
    [ -n \"$silent\" ] || break
    sleep 1
done
[ -z \"$silent\" ] || {{ echo \"no kubelet has renewed its lease since etcd was restored:$silent\"; exit 1; }}
echo '[kfleet] every kubelet is heard of'
{{ grep -v '^state=' {record}; printf 'state=done\ndone_by=%s\n' {run}; }} >{record}.new
mv -f {record}.new {record}",
            nodes = quote(&self.nodes.join(" ")),
            record = RestoreProgress::PATH,
            run = quote(&self.run),
        );
        let run =
            RunScript { command: "wait for every kubelet to renew its lease".to_owned(), script, deadline: DEADLINE };
        Change::Some {
            diff: vec!["+ every kubelet renews its lease".to_owned()],
            actions: vec![Action::Run(run)],
            record: Vec::new(),
        }
    }
}
