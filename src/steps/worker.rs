use std::time::Duration;

use crate::cluster::JoinSpec;
use crate::facts::{Facts, Job, Wanted};
use crate::inventory::{Host, Inventory};

use super::{Action, Change, Contents, Detached, Step, node};

/// This host is a worker of the cluster: made by `kubeadm join`, detached from the connection.
pub struct Worker<'a> {
    inventory: &'a Inventory,
    host: &'a Host,
    ca: Option<&'a str>,
}

/// The job's name.
const JOB: &str = "join";
/// kubeadm gives discovery and the TLS bootstrap 5 minutes each.
const DEADLINE: Duration = Duration::from_secs(12 * 60);

impl<'a> Worker<'a> {
    /// A worker of the cluster with this CA certificate (PEM); `None` where the cluster is yet to be made.
    #[must_use]
    pub fn new(inventory: &'a Inventory, host: &'a Host, ca: Option<&'a str>) -> Self {
        Self { inventory, host, ca }
    }

    fn join(&self, facts: &Facts, follow_only: bool) -> Option<Action> {
        let spec = JoinSpec {
            kubeadm: facts.packages.kubeadm.clone()?,
            node_name: node::name(facts),
            cri_socket: node::cri_socket(self.inventory, self.host, facts),
            node_ip: self.host.node_ip,
        };
        Some(Action::Detach(Box::new(Detached {
            name: JOB,
            command: "kubeadm join --config config.yaml".to_owned(),
            files: vec![("config.yaml", Contents::JoinConfiguration(spec))],
            script: self.script(facts),
            deadline: DEADLINE,
            follow_only,
            yields: None,
        })))
    }

    /// What a join that was cut left behind is taken back first; its token never stays in bootstrap-kubelet.conf.
    fn script(&self, facts: &Facts) -> String {
        let flags = node::flags(self.inventory);
        let mut reset = String::new();
        if left_behind(facts) {
            reset = format!(
                "echo '[reset] Taking back the join that was cut'\n{}\n",
                node::reset(self.inventory, self.host, facts)
            );
        }
        format!(
            "trap 'rm -f /etc/kubernetes/bootstrap-kubelet.conf' EXIT\n\
             {reset}rm -f /etc/kubernetes/bootstrap-kubelet.conf\n\
             kubeadm join --config config.yaml{flags}\n"
        )
    }
}

impl Step for Worker<'_> {
    fn name(&self) -> &'static str {
        "worker"
    }

    fn probe(&self) -> Wanted {
        Wanted { jobs: [JOB.to_owned()].into(), ..Wanted::default() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        let follow_only = facts.jobs.get(JOB) == Some(&Job::Running);
        let kubelet = facts.kubeadm.kubeconfigs.get("kubelet").filter(|_| !follow_only && !left_behind(facts));
        match (kubelet, self.ca) {
            (Some(kubelet), Some(ca)) if kubelet.ca_certificate.as_deref().map(str::trim) == Some(ca.trim()) => {
                Change::none(format!("it has joined {}", kubelet.server))
            }
            (Some(kubelet), _) => Change::Refused {
                reason: format!("it has joined another cluster, at {}", kubelet.server),
                hint: "to move it here, run `kubeadm reset` on it and run again".to_owned(),
            },
            (None, _) => {
                let what = if follow_only { "kubeadm join, which runs already" } else { "kubeadm join" };
                match self.join(facts, follow_only) {
                    Some(join) => {
                        Change::Some { diff: vec![format!("+ {what}")], actions: vec![join], record: Vec::new() }
                    }
                    None => Change::Refused {
                        reason: "kubeadm is not installed".to_owned(),
                        hint: "install kubeadm and kubelet on it".to_owned(),
                    },
                }
            }
        }
    }
}

/// Whether a join began here and did not come to its end.
fn left_behind(facts: &Facts) -> bool {
    let begun = facts.kubeadm.kubeconfigs.contains_key("bootstrap-kubelet")
        && !facts.kubeadm.kubeconfigs.contains_key("kubelet");
    begun
        || match facts.jobs.get(JOB) {
            Some(Job::Lost) => true,
            Some(Job::Finished(status)) => *status != 0,
            Some(Job::Running) | None => false,
        }
}
