use secrecy::{ExposeSecret, SecretString};

use crate::cluster::Authority;
use crate::doctor::{Finding, Stops, differences, preflight};
use crate::events::Severity;
use crate::facts::{Facts, Wanted};
use crate::inventory::{Host, Inventory, Role};
use crate::steps::{
    self, AdminKubeconfig, Change, ControlPlane, HostsFile, JoinToken, KeptKubeconfig, Kernel, KubeletUnit, PodNetwork,
    Record, Recorded, Refusal, Step, Worker, node_name, record_action,
};

use super::openings;
use super::{Expectation, Fleet, HostPlan, Need, Plan, Planned, Recipe, Stage};

/// `kfleet up`: from bare hosts to a Ready cluster.
pub struct Up {
    inventory: Inventory,
    workstation: Workstation,
    pod_network: PodNetwork,
}

/// What `up` takes from the machine it runs on.
#[derive(Default)]
pub struct Workstation {
    /// Its /etc/hosts, where the inventory wants it handed on.
    pub hosts_file: Option<String>,
    /// Its own name, which is not handed on.
    pub hostname: String,
    /// The kubeconfig kept from an earlier run.
    pub kubeconfig: Option<SecretString>,
    /// The CA made here, where the inventory wants that.
    pub authority: Option<Authority>,
}

/// A stage of the recipe: what it waits for, and its steps.
struct Course<'a> {
    needs: Option<Need>,
    passing: bool,
    steps: Vec<Box<dyn Step + 'a>>,
}

impl Workstation {
    fn kept_kubeconfig(&self) -> Option<&str> {
        self.kubeconfig.as_ref().map(ExposeSecret::expose_secret)
    }

    fn hosts(&self) -> Option<steps::Workstation<'_>> {
        let hosts_file = self.hosts_file.as_deref()?;
        Some(steps::Workstation { hosts_file, hostname: &self.hostname })
    }
}

impl Up {
    /// The recipe for an inventory.
    #[must_use]
    pub fn new(inventory: Inventory, workstation: Workstation, pod_network: PodNetwork) -> Self {
        Self { inventory, workstation, pod_network }
    }

    /// The recipe itself, for one host. No host waits for anything but what a stage names.
    fn courses<'a>(&'a self, host: &'a Host, fleet: &'a Fleet) -> Vec<Course<'a>> {
        let base = Course::new(vec![
            Box::new(HostsFile::new(&self.inventory, &host.name, self.workstation.hosts())),
            Box::new(Kernel::new(&self.inventory.kernel)),
            Box::new(openings::firewall(&self.inventory, host)),
            Box::new(KubeletUnit),
        ]);
        match host.role {
            Role::ControlPlane => vec![
                base,
                Course::new(vec![Box::new(ControlPlane::new(&self.inventory, self.workstation.authority.as_ref()))]),
                Course::new(vec![Box::new(JoinToken::new(self.token_is_wanted(fleet)))]).passing(),
                Course::new(vec![Box::new(self.pod_network.clone()), Box::new(AdminKubeconfig)]),
                Course::new(vec![Box::new(KeptKubeconfig::new(self.workstation.kept_kubeconfig()))]).passing(),
            ],
            Role::Worker => {
                let worker = Worker::new(&self.inventory, host, self.ca(fleet));
                vec![base, Course::new(vec![Box::new(worker)]).after(Need::JoinGrant)]
            }
        }
    }

    fn control_plane<'a>(&self, fleet: &'a Fleet) -> Option<&'a Facts> {
        fleet.get(&self.inventory.control_plane().name)
    }

    /// The control plane's facts, if its cluster is there and stays.
    fn cluster<'a>(&self, fleet: &'a Fleet) -> Option<&'a Facts> {
        let step = ControlPlane::new(&self.inventory, self.workstation.authority.as_ref());
        self.control_plane(fleet).filter(|facts| matches!(step.plan(facts), Change::None { .. }))
    }

    /// The cluster's CA, where it is known before the run.
    fn ca<'a>(&'a self, fleet: &'a Fleet) -> Option<&'a str> {
        match self.cluster(fleet) {
            Some(facts) => facts.kubeadm.ca_certificate.as_deref(),
            None => self.workstation.authority.as_ref().map(Authority::certificate),
        }
    }

    /// A control plane that runs already makes a token when a worker is to join; a new one has init's.
    fn token_is_wanted(&self, fleet: &Fleet) -> bool {
        let joins = |host: &Host| {
            let worker = Worker::new(&self.inventory, host, self.ca(fleet));
            fleet.get(&host.name).is_some_and(|facts| matches!(worker.plan(facts), Change::Some { .. }))
        };
        self.cluster(fleet).is_some() && self.inventory.workers().any(joins)
    }

    fn host_plan(&self, host: &Host, facts: &Facts, fleet: &Fleet) -> HostPlan {
        let courses = self.courses(host, fleet);
        HostPlan { host: host.name.clone(), stages: courses.iter().map(|course| course.plan(facts)).collect() }
    }
}

impl Recipe for Up {
    fn command(&self) -> &'static str {
        "up"
    }

    fn wanted(&self, host: &str) -> Wanted {
        let nobody = Fleet::new();
        let hosts = self.inventory.hosts.iter().filter(|candidate| candidate.name == host);
        hosts
            .flat_map(|host| self.courses(host, &nobody))
            .flat_map(|course| course.steps.iter().map(|step| step.probe()).collect::<Vec<_>>())
            .fold(Record::wanted(), Wanted::and)
    }

    fn preflight(&self, fleet: &Fleet) -> Vec<Finding> {
        let Some(control_plane) = self.control_plane(fleet) else {
            let reason = format!(
                "{} was not reached: without the control plane nothing can be done",
                self.inventory.control_plane().name
            );
            return vec![Finding::of_fleet(Severity::Error, "control-plane", reason)];
        };
        let living = differences(&self.inventory, control_plane).into_iter().map(Finding::from);
        living.chain(preflight(&self.inventory, fleet)).collect()
    }

    fn stops(&self, finding: &Finding) -> Stops {
        finding.stops(&self.inventory)
    }

    fn plan(&self, fleet: &Fleet) -> Plan {
        let hosts = self.inventory.hosts.iter();
        let hosts = hosts.filter_map(|host| Some(self.host_plan(host, fleet.get(&host.name)?, fleet))).collect();
        Plan { hosts, ca: self.ca(fleet).map(str::to_owned) }
    }

    fn expectation(&self, fleet: &Fleet) -> Option<Expectation> {
        let asked_on = self.inventory.control_plane().name.clone();
        fleet.contains_key(&asked_on).then(|| Expectation {
            asked_on,
            nodes: fleet.values().map(node_name).collect(),
            pod_network: Some(self.pod_network.manifest.daemon_set),
            whole: fleet.len() == self.inventory.hosts.len(),
        })
    }
}

impl<'a> Course<'a> {
    fn new(steps: Vec<Box<dyn Step + 'a>>) -> Self {
        Self { needs: None, passing: false, steps }
    }

    fn after(self, need: Need) -> Self {
        Self { needs: Some(need), ..self }
    }

    /// What it does is gone when the run ends.
    fn passing(self) -> Self {
        Self { passing: true, ..self }
    }

    /// The steps planned, and before them the host's record of what they are about to change.
    fn plan(&self, facts: &Facts) -> Stage {
        let planned = |step: &dyn Step| Planned { step: step.name(), change: step.plan(facts), passing: self.passing };
        let mut steps: Vec<Planned> = self.steps.iter().map(|step| planned(step.as_ref())).collect();
        let entries: Vec<Recorded> = steps.iter().flat_map(Planned::record).cloned().collect();
        let record = match record_action(facts, &entries) {
            Ok(None) => return Stage { needs: self.needs, steps },
            Ok(Some(action)) => Change::Some { diff: Vec::new(), actions: vec![action], record: Vec::new() },
            Err(Refusal { reason, hint }) => Change::Refused { reason, hint },
        };
        // Written first, so that an interrupted change cannot lose what was there before it.
        steps.insert(0, Planned { step: "record", change: record, passing: true });
        Stage { needs: self.needs, steps }
    }
}
