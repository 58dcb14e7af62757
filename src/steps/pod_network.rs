use std::time::Duration;

use crate::base::quote;
use crate::cluster::{MANIFEST_HASH_ANNOTATION, Manifest};
use crate::facts::Facts;

use super::{Action, Change, RunScript, Step};

/// The pod network's objects are in the cluster.
#[derive(Debug, Clone)]
pub struct PodNetwork {
    /// As `flannel`.
    pub plugin: String,
    /// What is applied.
    pub manifest: Manifest,
}

impl Step for PodNetwork {
    fn name(&self) -> &'static str {
        "pod-network"
    }

    fn plan(&self, facts: &Facts) -> Change {
        let workloads = facts.cluster.iter().flat_map(|cluster| &cluster.workloads);
        // Older manifests name it kube-flannel-ds-amd64 and the like.
        let there = workloads
            .filter(|workload| workload.kind == "DaemonSet" && workload.name.starts_with(self.manifest.daemon_set))
            .max_by_key(|workload| workload.annotations.contains_key(MANIFEST_HASH_ANNOTATION));
        let what = match there.map(|workload| workload.annotations.get(MANIFEST_HASH_ANNOTATION)) {
            Some(Some(digest)) if *digest == self.manifest.sha256 => {
                return Change::none(format!("{} is as the inventory wants it", self.plugin));
            }
            Some(None) => {
                return Change::none(format!("{} is there, not put there by kfleet: left alone", self.plugin));
            }
            Some(Some(_)) => format!("~ {}: its manifest has changed", self.plugin),
            None => format!("+ {}", self.plugin),
        };
        let run = RunScript {
            command: format!("kubectl apply -f {}.yaml", self.plugin),
            script: self.apply(),
            deadline: Duration::from_secs(120),
        };
        Change::Some { diff: vec![what], actions: vec![Action::Run(run)], record: Vec::new() }
    }
}

impl PodNetwork {
    /// `apply` may be repeated, and an API server that was made a second ago may still refuse it.
    fn apply(&self) -> String {
        format!(
            "manifest={}
for wait in 1 2 4 8 0; do
    if printf '%s' \"$manifest\" | kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f -; then exit 0; fi
    sleep $wait
done
exit 1",
            quote(&self.manifest.yaml)
        )
    }
}
