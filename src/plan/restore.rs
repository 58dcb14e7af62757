use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::doctor::{Finding, Stops, differences, preflight, runs_cluster};
use crate::events::Severity;
use crate::facts::{Backup, Facts, Wanted};
use crate::inventory::{Host, Inventory, Role};
use crate::steps::{
    AddressChange, EtcdRestore, PodNetwork, Record, ReinitProgress, RestoreProgress, RestoredEtcd, RestoredFleet,
    RestoredWorker, Step,
};

use super::admin_certificate::expired;
use super::course::{self, Course};
use super::one_control_plane::several;
use super::{Expectation, Fleet, HostPlan, Plan, Recipe, Wave};

/// `kfleet reinit --restore-etcd`: etcd goes back to a snapshot that a change of address has put aside, and the whole
/// cluster with it, where it is now.
pub struct Restore {
    inventory: Inventory,
    pod_network: PodNetwork,
    /// The backup's name; `None` for the last one.
    backup: Option<String>,
    now: Timestamp,
}

/// Of preflight, what matters to a cluster that runs.
const CHECKS: [&str; 5] = ["clock", "foreign-cluster", "hostname-twice", "kubectl-missing", "role"];

impl Restore {
    /// The recipe for an inventory, begun at this time; of the backup with this name, else of the last one.
    #[must_use]
    pub fn new(inventory: Inventory, pod_network: PodNetwork, backup: Option<String>, now: Timestamp) -> Self {
        Self { inventory, pod_network, backup, now }
    }

    /// What this run calls a restore that it begins.
    fn run(&self) -> String {
        self.now.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    fn control_plane<'a>(&self, fleet: &'a Fleet) -> Option<&'a Facts> {
        fleet.get(&self.inventory.control_plane().name)
    }

    /// What is restored; or why nothing is, and what to do.
    fn restore(&self, facts: &Facts) -> Result<EtcdRestore, (String, String)> {
        let fail = |reason: String, hint: &str| Err((reason, hint.to_owned()));
        // One that this run has brought to its end is looked at, too.
        let pending =
            RestoreProgress::of(facts).filter(|kept| !kept.is_done() || kept.done_by.as_ref() == Some(&self.run()));
        let mut backups = facts.backups.iter().flatten();
        let chosen = match (&pending, &self.backup) {
            (Some(pending), Some(name)) if !pending.backup.ends_with(&format!("/{name}")) => {
                return fail(
                    format!("a restore of {} was cut and has to come to its end first", pending.backup),
                    "`kfleet reinit --restore-etcd` goes on with it",
                );
            }
            (Some(pending), _) => backups.find(|backup| backup.path() == pending.backup),
            (None, Some(name)) => backups.find(|backup| backup.name() == *name),
            (None, None) => backups.rfind(|backup| backup.snapshot.is_some()),
        };
        let Some(backup) = chosen.filter(|backup| backup.snapshot.is_some()) else {
            return Err(self.without(facts));
        };
        if ReinitProgress::of(facts).is_some_and(|kept| !kept.done) {
            return fail(
                "a change of its address was cut".to_owned(),
                "`kfleet reinit` goes on with it; then begin again",
            );
        }
        let manifests = facts.kubeadm.manifests.as_ref();
        let to = manifests.and_then(|manifests| manifests.advertise_address.as_ref()?.parse().ok());
        let Some(to) = to.filter(|to| facts.interface_of(*to).is_some()) else {
            return fail(
                "the address that its API server announces is on none of its interfaces".to_owned(),
                "`kfleet reinit` moves the cluster to where the host is now; then begin again",
            );
        };
        let cluster = &self.inventory.cluster;
        Ok(EtcdRestore {
            backup: backup.clone(),
            id: pending.as_ref().map_or_else(|| self.run(), |kept| kept.id.clone()),
            progress: pending,
            change: AddressChange { from: backup.address.into_iter().filter(|from| *from != to).collect(), to },
            port: manifests.and_then(|manifests| manifests.port).unwrap_or(cluster.port),
            service_subnet: manifests
                .and_then(|manifests| manifests.service_cidr.clone())
                .unwrap_or_else(|| cluster.service_cidr.to_string()),
        })
    }

    /// Why there is no such snapshot.
    fn without(&self, facts: &Facts) -> (String, String) {
        let with_snapshot = |backup: &&Backup| backup.snapshot.is_some();
        let names: Vec<String> = facts.backups.iter().flatten().filter(with_snapshot).map(Backup::name).collect();
        let reason = match &self.backup {
            Some(name) => format!("there is no snapshot of etcd in {name}"),
            None => "there is no snapshot of etcd below /var/lib/kfleet/reinit".to_owned(),
        };
        let hint = if names.is_empty() {
            "`kfleet reinit` takes one before it changes anything; of those taken by other means kfleet knows nothing"
                .to_owned()
        } else {
            format!("there is one in: {}", names.join(", "))
        };
        (reason, hint)
    }

    fn host_plan(host: &Host, step: impl Step, facts: &Facts) -> HostPlan {
        course::host_plan(host, &[Course::new(vec![Box::new(step)])], facts)
    }
}

impl Recipe for Restore {
    fn command(&self) -> &'static str {
        "reinit"
    }

    fn rehearsal(&self) -> &'static str {
        "reinit --plan"
    }

    fn wanted(&self, host: &str) -> Wanted {
        let role = self.inventory.hosts.iter().find(|candidate| candidate.name == host).map(|host| host.role);
        let of_role = match role {
            Some(Role::ControlPlane) => RestoredEtcd::new(None, self.now).probe().and(ReinitProgress::wanted()),
            Some(Role::Worker) => RestoredWorker::new(None).probe(),
            None => Wanted::default(),
        };
        Record::wanted().and(of_role)
    }

    fn preflight(&self, fleet: &Fleet) -> Vec<Finding> {
        let name = &self.inventory.control_plane().name;
        let of_control_plane = |severity, check, reason: String| Finding::of_host(name, severity, check, reason);
        let Some(facts) = self.control_plane(fleet) else {
            return vec![Finding::of_missing_control_plane(&self.inventory)];
        };
        if !runs_cluster(facts) {
            let reason = "there is no control plane here that could run with a restored etcd".to_owned();
            return vec![of_control_plane(Severity::Error, "control-plane", reason)];
        }
        if let Some(finding) = several(name, fleet) {
            return vec![finding];
        }
        let mut findings: Vec<Finding> = differences(&self.inventory, facts).into_iter().map(Finding::from).collect();
        findings.extend(expired(name, facts, self.now));
        let of_fleet = preflight(&self.inventory, fleet).into_iter();
        findings.extend(of_fleet.filter(|finding| CHECKS.contains(&finding.check)));
        match self.restore(facts) {
            Err((reason, hint)) => {
                findings.push(of_control_plane(Severity::Error, "etcd-snapshot", reason).with_hint(hint));
            }
            // They are lost already.
            Ok(restore) if restore.progress.as_ref().is_some_and(RestoreProgress::is_restored) => {}
            Ok(restore) => {
                let at = restore.backup.address.map(|address| format!(", at {address}")).unwrap_or_default();
                let reason = format!(
                    "every write to the cluster since {} is lost: {} was taken then{at}",
                    restore.since(self.now),
                    restore.snapshot()
                );
                findings.push(of_control_plane(Severity::Warning, "lost-writes", reason));
            }
        }
        findings
    }

    fn stops(&self, finding: &Finding) -> Stops {
        finding.stops(&self.inventory)
    }

    fn plan(&self, fleet: &Fleet) -> Plan {
        let Some((facts, Ok(restore))) = self.control_plane(fleet).map(|facts| (facts, self.restore(facts))) else {
            return Plan::default();
        };
        let control_plane = self.inventory.control_plane();
        let first = Self::host_plan(control_plane, RestoredEtcd::new(Some(&restore), self.now), facts);
        let workers = self.inventory.workers().filter_map(|host| {
            Some(Self::host_plan(host, RestoredWorker::new(Some(&restore)), fleet.get(&host.name)?))
        });
        let mut waves = vec![Wave::of(vec![first]), Wave::of(workers.collect())];
        // It is over when every worker has followed; until then it goes on with those that have not.
        if self.inventory.hosts.iter().all(|host| fleet.contains_key(&host.name)) {
            let joined = fleet.values().filter(|facts| facts.kubeadm.kubeconfigs.contains_key("kubelet"));
            let last = RestoredFleet::of(joined.map(Facts::node_name).collect(), self.run());
            let last = Course::new(vec![Box::new(last)]);
            waves.push(Wave::of(vec![course::later_plan(control_plane, vec![last], facts)]));
        }
        Plan { waves, ca: None }
    }

    fn expectation(&self, fleet: &Fleet) -> Option<Expectation> {
        let asked_on = self.inventory.control_plane().name.clone();
        let joined = fleet.values().filter(|facts| facts.kubeadm.kubeconfigs.contains_key("kubelet"));
        fleet.contains_key(&asked_on).then(|| Expectation {
            asked_on,
            nodes: joined.map(Facts::node_name).collect(),
            addresses: BTreeMap::new(),
            pod_network: Some(self.pod_network.manifest.daemon_set),
            whole: false,
        })
    }
}
