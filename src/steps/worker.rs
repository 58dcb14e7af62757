use std::time::Duration;

use crate::cluster::JoinSpec;
use crate::facts::{ClusterFacts, Facts, Job, Wanted};
use crate::inventory::{Host, Inventory};

use super::api_reached::reach;
use super::{Action, Change, Contents, Detached, RunScript, Step, node};

/// This host is a worker of the cluster: made by `kubeadm join`, detached from the connection.
pub struct Worker<'a> {
    inventory: &'a Inventory,
    host: &'a Host,
    ca: Option<&'a str>,
    cluster: Option<&'a ClusterFacts>,
    endpoint: Option<String>,
}

/// The job's name.
const JOB: &str = "join";
/// kubeadm gives discovery and the TLS bootstrap 5 minutes each.
const DEADLINE: Duration = Duration::from_secs(12 * 60);
/// Holds the token from the kubelet's start until it has a certificate of its own.
const BOOTSTRAP: &str = "/etc/kubernetes/bootstrap-kubelet.conf";

impl<'a> Worker<'a> {
    /// A worker of the cluster with this CA certificate (PEM), `None` where the cluster is yet to be made; and with what
    /// its API server says, where one was asked.
    #[must_use]
    pub fn new(
        inventory: &'a Inventory,
        host: &'a Host,
        ca: Option<&'a str>,
        cluster: Option<&'a ClusterFacts>,
    ) -> Self {
        Self { inventory, host, ca, cluster, endpoint: None }
    }

    /// That asks for the API server at this `host:port`: whether it gets through is tried before kubeadm does.
    #[must_use]
    pub fn at(mut self, endpoint: Option<String>) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Whether it is to join, and needs a grant for that.
    #[must_use]
    pub fn joins(&self, facts: &Facts) -> bool {
        self.plan(facts).actions().iter().any(Action::needs_grant)
    }

    fn join(&self, facts: &Facts) -> Change {
        let Some(kubeadm) = facts.packages.kubeadm.clone() else {
            return Change::Refused {
                reason: "kubeadm is not installed".to_owned(),
                hint: "install kubeadm and kubelet on it".to_owned(),
            };
        };
        let spec = JoinSpec {
            kubeadm,
            node_name: facts.node_name(),
            cri_socket: node::cri_socket(self.inventory, self.host, facts),
            node_ip: self.host.node_ip,
        };
        let files = vec![("config.yaml", Contents::JoinConfiguration(spec))];
        let join = Detached { files, script: self.script(facts), follow_only: false, ..followed() };
        let reached = self.endpoint.as_deref().map(|endpoint| Action::Run(reach(endpoint)));
        let actions = reached.into_iter().chain([Action::Detach(Box::new(join))]).collect();
        Change::Some { diff: vec!["+ kubeadm join".to_owned()], actions, record: Vec::new() }
    }

    /// What a join that was cut left behind is taken back first.
    fn script(&self, facts: &Facts) -> String {
        let flags = node::flags(self.inventory);
        let reset = node::reset(self.inventory, self.host, facts);
        let reset = if left_behind(facts) {
            format!("echo '[reset] Taking back the join that was cut'\n{reset}\n")
        } else {
            String::new()
        };
        format!("{reset}rm -f {BOOTSTRAP}\nkubeadm join --config config.yaml{flags}\n")
    }

    /// A host that has joined, by its kubelet.conf.
    fn joined(&self, facts: &Facts, server: &str) -> Change {
        let name = facts.node_name();
        let answers = self.cluster.filter(|cluster| cluster.unreachable.is_none());
        if facts.jobs.get(JOB) == Some(&Job::Finished(0)) {
            return change("+ kubeadm join, which ended meanwhile", Action::Detach(Box::new(followed())));
        }
        if left_behind(facts) {
            // It came far enough: the host may run pods by now, and is not reset.
            let remove = run(format!("rm -rf {BOOTSTRAP} /var/lib/kfleet/jobs/{JOB}"));
            return change("- what a join that was cut left behind, its token first of all", remove);
        }
        if answers.is_some_and(|cluster| cluster.nodes.iter().all(|node| node.name != name)) {
            // A kubelet registers its Node when it starts, and never again.
            let restart = run("systemctl restart kubelet".to_owned());
            return change(
                &format!("+ node {name}, which the cluster has lost: the kubelet registers it anew"),
                restart,
            );
        }
        Change::none(format!("it has joined {server}"))
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
        if facts.jobs.get(JOB) == Some(&Job::Running) {
            return change("+ kubeadm join, which runs already", Action::Detach(Box::new(followed())));
        }
        match (facts.kubeadm.kubeconfigs.get("kubelet"), self.ca) {
            (Some(kubelet), Some(ca)) if kubelet.ca_certificate.as_deref().map(str::trim) == Some(ca.trim()) => {
                self.joined(facts, &kubelet.server)
            }
            (Some(kubelet), _) => Change::Refused {
                reason: format!("it has joined another cluster, at {}", kubelet.server),
                hint: "to move it here, run `kubeadm reset` on it and run again".to_owned(),
            },
            (None, _) => self.join(facts),
        }
    }
}

/// Whether a join began here and did not come to its end.
fn left_behind(facts: &Facts) -> bool {
    facts.kubeadm.kubeconfigs.contains_key("bootstrap-kubelet")
        || match facts.jobs.get(JOB) {
            Some(Job::Lost) => true,
            Some(Job::Finished(status)) => *status != 0,
            Some(Job::Running) | None => false,
        }
}

/// The job as one that is there already.
fn followed() -> Detached {
    Detached { leaves: &[BOOTSTRAP], ..Detached::followed(JOB, "kubeadm join --config config.yaml", DEADLINE) }
}

fn run(command: String) -> Action {
    Action::Run(RunScript { script: command.clone(), command, deadline: Duration::from_secs(30) })
}

fn change(what: &str, action: Action) -> Change {
    Change::Some { diff: vec![what.to_owned()], actions: vec![action], record: Vec::new() }
}
