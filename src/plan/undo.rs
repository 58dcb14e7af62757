use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::doctor::Finding;
use crate::events::Severity;
use crate::facts::{Facts, File, Job, KubeadmState, Kubeconfig, Wanted};
use crate::inventory::{Host, Inventory};
use crate::steps::{
    Change, FirewallBefore, HostsFileBefore, KernelBefore, KubeletUnitBefore, NoKubeconfig, NoNode, NoRecord,
    NoRemains, Record, Refusal, Step,
};

use super::course::Course;
use super::{Fleet, HostPlan, Planned, Stage};

/// The way back for one host: what `up` brought to it is gone, what was before is there again.
pub(super) struct Undo<'a> {
    inventory: &'a Inventory,
    /// The kubeconfig kept on the workstation.
    kept: Option<&'a str>,
}

/// Jobs of kfleet's that make a node, and must not run while one is taken down.
const MAKING: [&str; 2] = ["init", "join"];

impl<'a> Undo<'a> {
    pub(super) fn new(inventory: &'a Inventory, kept: Option<&'a SecretString>) -> Self {
        Self { inventory, kept: kept.map(ExposeSecret::expose_secret) }
    }

    /// The recipe itself. The kubeconfig is told by what kubeadm takes away, and the record is the last to go.
    fn stages(&self, host: &'a Host) -> [Vec<Box<dyn Step + 'a>>; 3] {
        [
            vec![Box::new(self.no_kubeconfig()), Box::new(NoNode::new(self.inventory, host))],
            vec![
                // While the links are there that firewalld has in a zone.
                Box::new(FirewallBefore),
                Box::new(NoRemains { pods: self.inventory.cluster.pod_cidr }),
                Box::new(KernelBefore::new(&self.inventory.kernel)),
                Box::new(HostsFileBefore),
                Box::new(KubeletUnitBefore),
            ],
            vec![Box::new(NoRecord)],
        ]
    }

    /// As far as the host is no node any more. What kfleet brought to it beside that stays, and so does the record.
    pub(super) fn of_node(&self, host: &'a Host) -> Vec<Course<'a>> {
        let [node, _, _] = self.stages(host);
        let remains = NoRemains { pods: self.inventory.cluster.pod_cidr };
        vec![Course::new(node), Course::new(vec![Box::new(remains)])]
    }

    /// The host as it is after [`of_node`](Self::of_node).
    pub(super) fn without_node(&self, facts: &Facts) -> Facts {
        let mut facts = facts.clone();
        if !self.no_kubeconfig().plan(&facts).actions().is_empty() {
            facts.login.has_kubeconfig = false;
        }
        facts.kubeadm = KubeadmState::default();
        facts.kubelet_cgroup_driver = None;
        facts.cluster = None;
        facts.jobs.retain(|job, _| !MAKING.contains(&job.as_str()));
        facts
    }

    fn no_kubeconfig(&self) -> NoKubeconfig {
        NoKubeconfig { kept: self.kept.map(|kept| format!("{:x}", Sha256::digest(kept))) }
    }

    pub(super) fn wanted(&self, host: &'a Host) -> Wanted {
        let jobs = Wanted { jobs: MAKING.map(str::to_owned).into(), ..Wanted::default() };
        self.stages(host).iter().flatten().map(|step| step.probe()).fold(jobs, Wanted::and)
    }

    /// The CA (PEM) of the cluster that is meant, as far as that is known.
    pub(super) fn ca(&self, fleet: &Fleet) -> Option<String> {
        let control_plane = fleet.get(&self.inventory.control_plane().name).filter(|facts| has_record(facts));
        let living = control_plane.and_then(|facts| facts.kubeadm.ca_certificate.clone());
        living.or_else(|| Kubeconfig::parse(self.kept?)?.ca_certificate)
    }

    pub(super) fn host_plan(&self, host: &'a Host, facts: &Facts, ca: Option<&str>) -> HostPlan {
        let only = |change| {
            let planned = Planned { step: "reset", change, passing: false };
            HostPlan { host: host.name.clone(), record: None, stages: vec![Stage { steps: vec![planned] }] }
        };
        match is_ours(facts, ca) {
            Err(refusal) => only(refusal.into()),
            Ok(false) => only(Change::none("kfleet has brought nothing here")),
            Ok(true) => {
                let planned = |step: &dyn Step| Planned {
                    step: step.name(),
                    change: step.plan(facts).in_safe_words(),
                    passing: false,
                };
                let stages = self.stages(host);
                let stages = stages.iter().map(|steps| steps.iter().map(|step| planned(step.as_ref())).collect());
                let stages = stages.map(|steps| Stage { steps });
                HostPlan { host: host.name.clone(), record: begun(facts), stages: stages.collect() }
            }
        }
    }

    /// What is not known of a host that is taken back.
    pub(super) fn unknown(host: &Host, facts: &Facts) -> Option<Finding> {
        let is_node = facts.kubeadm.kubeconfigs.contains_key("kubelet");
        let says_nothing = Record::of(facts).is_ok_and(|record| record.is_empty());
        (says_nothing && (is_node || has_record(facts))).then(|| {
            let reason = "its record of what was there before kfleet is missing: sysctls, what firewalld lets through, \
                          whether the kubelet starts at boot, and directories that were made stay as they are";
            let hint = "compare `sysctl -a`, `firewall-cmd --list-all-zones` and `systemctl is-enabled kubelet` there with \
                        another host's";
            Finding::of_host(&host.name, Severity::Warning, "no-record", reason).with_hint(hint)
        })
    }
}

/// Whether the host is one that kfleet, or at least this cluster, has made something of.
pub(super) fn is_ours(facts: &Facts, ca: Option<&str>) -> Result<bool, Refusal> {
    if let Some(job) = MAKING.iter().find(|job| facts.jobs.get(**job) == Some(&Job::Running)) {
        return Err(Refusal {
            reason: format!("kfleet's `kubeadm {job}` runs on it"),
            hint: format!("wait for its end, or `systemctl stop kfleet-{job}` there, then run this again"),
        });
    }
    let state = &facts.kubeadm;
    let kubelet = state.kubeconfigs.get("kubelet");
    let own = kubelet.and_then(|kubelet| kubelet.ca_certificate.as_deref()).or(state.ca_certificate.as_deref());
    let server = kubelet.map(|kubelet| format!(", at {}", kubelet.server)).unwrap_or_default();
    let hint = "if that is to go, run `kubeadm reset` on it".to_owned();
    match (own, ca) {
        (Some(own), Some(ca)) if own.trim() == ca.trim() => Ok(true),
        (Some(_), Some(_)) => Err(Refusal { reason: format!("it is a node of another cluster{server}"), hint }),
        (Some(_), None) if !has_record(facts) => {
            Err(Refusal { reason: format!("it is a node of a cluster that kfleet knows nothing of{server}"), hint })
        }
        _ => Ok(has_record(facts)),
    }
}

fn has_record(facts: &Facts) -> bool {
    matches!(facts.files.get(Record::PATH), Some(File::Present { .. } | File::Unreadable { .. }))
}

/// A record for a host that has none, so that a reset that was cut is gone on with.
fn begun(facts: &Facts) -> Option<Planned> {
    (!has_record(facts)).then(|| {
        let change = Change::Some { diff: Vec::new(), actions: vec![Record::begun()], record: Vec::new() };
        Planned { step: "record", change, passing: true }
    })
}
