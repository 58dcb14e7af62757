use std::collections::BTreeSet;
use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};

use crate::cluster::Authority;
use crate::doctor::{Finding, Stops, differences, moved_away, preflight, strangers};
use crate::events::Severity;
use crate::facts::{Facts, Wanted};
use crate::inventory::{Host, Inventory, Role};
use crate::steps::{
    self, AdminKubeconfig, Begun, ControlPlane, HostsFile, JoinToken, KeptKubeconfig, Kernel, KubeletUnit, NodeAddress,
    Phase, PodNetwork, Record, Step, Worker, api_endpoint, keeps_ca, living, wanted_places,
};

use super::course::{self, Course};
use super::openings;
use super::{Expectation, Fleet, HostPlan, Plan, Recipe, Wave};

/// `kfleet up`: from bare hosts to a Ready cluster.
pub struct Up {
    pub(super) inventory: Inventory,
    pub(super) workstation: Workstation,
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

impl Workstation {
    /// What was kept of an earlier run.
    pub(super) fn kept_kubeconfig(&self) -> Option<&str> {
        self.kubeconfig.as_ref().map(ExposeSecret::expose_secret)
    }

    /// The names that it hands on.
    pub(super) fn hosts(&self) -> Option<steps::Workstation<'_>> {
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

    #[cfg(test)]
    pub(super) fn pod_network(&self) -> &PodNetwork {
        &self.pod_network
    }

    /// The recipe itself, for one host. No host waits for anything but what a stage names. A new control plane is under the
    /// PKI of this directory of its own, where there is one.
    pub(super) fn courses<'a>(&'a self, host: &'a Host, fleet: &'a Fleet, pki: Option<&'a str>) -> Vec<Course<'a>> {
        let base = Course::new(vec![
            Box::new(HostsFile::new(&self.inventory, &host.name, self.workstation.hosts())),
            Box::new(Kernel::new(&self.inventory.kernel)),
            Box::new(openings::firewall(&self.inventory, host)),
            Box::new(KubeletUnit),
        ]);
        match host.role {
            Role::ControlPlane => vec![
                base,
                Course::new(vec![Box::new(
                    ControlPlane::new(&self.inventory, self.workstation.authority.as_ref()).under(pki),
                )]),
                Course::new(vec![Box::new(JoinToken::new(self.token_is_wanted(fleet)))]).passing(),
                Course::new(vec![
                    Box::new(self.pod_network.clone()),
                    Box::new(AdminKubeconfig),
                    Box::new(self.node_address(host, fleet)),
                ]),
                Course::new(vec![Box::new(KeptKubeconfig::new(self.workstation.kept_kubeconfig()))]).passing(),
            ],
            Role::Worker => {
                // The join waits for the grant, by what it is made of.
                let steps: Vec<Box<dyn Step>> =
                    vec![Box::new(self.worker(host, fleet)), Box::new(self.node_address(host, fleet))];
                vec![base, Course::new(steps)]
            }
        }
    }

    fn worker<'a>(&'a self, host: &'a Host, fleet: &'a Fleet) -> Worker<'a> {
        let cluster = self.cluster(fleet).and_then(|facts| facts.cluster.as_ref());
        let endpoint = self.control_plane(fleet).and_then(|facts| api_endpoint(&self.inventory, facts));
        Worker::new(&self.inventory, host, self.ca(fleet), cluster).at(endpoint)
    }

    fn node_address<'a>(&self, host: &'a Host, fleet: &'a Fleet) -> NodeAddress<'a> {
        NodeAddress::new(host, self.cluster(fleet).and_then(|facts| facts.cluster.as_ref()))
    }

    /// The nodes that are known at an address that is gone, each with those that its host has.
    fn moved<'a>(&'a self, fleet: &'a Fleet) -> impl Iterator<Item = (String, BTreeSet<IpAddr>)> + 'a {
        self.inventory.hosts.iter().filter_map(|host| {
            let facts = fleet.get(&host.name)?;
            let moves = !self.node_address(host, fleet).plan(facts).actions().is_empty();
            moves.then(|| (facts.node_name(), facts.addresses().collect()))
        })
    }

    pub(super) fn control_plane<'a>(&self, fleet: &'a Fleet) -> Option<&'a Facts> {
        fleet.get(&self.inventory.control_plane().name)
    }

    /// The control plane's facts, if its cluster is there and stays.
    fn cluster<'a>(&self, fleet: &'a Fleet) -> Option<&'a Facts> {
        self.control_plane(fleet).filter(|facts| living(facts))
    }

    /// The cluster's CA, where it is known before the run.
    fn ca<'a>(&'a self, fleet: &'a Fleet) -> Option<&'a str> {
        match self.control_plane(fleet) {
            Some(facts) if keeps_ca(facts) => facts.kubeadm.ca_certificate.as_deref(),
            _ => self.workstation.authority.as_ref().map(Authority::certificate),
        }
    }

    /// A control plane that runs already makes a token when a worker is to join; a new one has init's.
    fn token_is_wanted(&self, fleet: &Fleet) -> bool {
        let joins = |host: &Host| fleet.get(&host.name).is_some_and(|facts| self.worker(host, fleet).joins(facts));
        self.cluster(fleet).is_some() && self.inventory.workers().any(joins)
    }

    fn host_plan(&self, host: &Host, facts: &Facts, fleet: &Fleet) -> HostPlan {
        course::host_plan(host, &self.courses(host, fleet, None), facts)
    }
}

impl Recipe for Up {
    fn command(&self) -> &'static str {
        "up"
    }

    fn rehearsal(&self) -> &'static str {
        "plan"
    }

    fn wanted(&self, host: &str) -> Wanted {
        let nobody = Fleet::new();
        let hosts = self.inventory.hosts.iter().filter(|candidate| candidate.name == host);
        hosts
            .flat_map(|host| self.courses(host, &nobody, None))
            .map(|course| course.probe())
            .fold(Record::wanted().and(wanted_places()).and(Begun::wanted()), Wanted::and)
    }

    fn preflight(&self, fleet: &Fleet) -> Vec<Finding> {
        let Some(control_plane) = self.control_plane(fleet) else {
            return vec![Finding::of_missing_control_plane(&self.inventory)];
        };
        if is_being_made_anew(control_plane) {
            let reason = "it is being made anew from scratch, and that has not come to its end".to_owned();
            let finding = Finding::of_host(&self.inventory.control_plane().name, Severity::Error, "made-anew", reason);
            return vec![finding.with_hint("`kfleet reinit --from-scratch` goes on with it")];
        }
        // What an init left that is still under way, or that failed, is no cluster yet.
        let living = if living(control_plane) { differences(&self.inventory, control_plane) } else { Vec::new() };
        let living = living.into_iter().map(Finding::from);
        let of_nodes = strangers(&self.inventory, fleet).into_iter().chain(moved_away(&self.inventory, fleet));
        living.chain(preflight(&self.inventory, fleet)).chain(of_nodes).collect()
    }

    fn stops(&self, finding: &Finding) -> Stops {
        finding.stops(&self.inventory)
    }

    fn silent<'a>(&'a self, fleet: &Fleet) -> Option<&'a str> {
        let cluster = self.cluster(fleet)?.cluster.as_ref();
        cluster
            .is_some_and(|cluster| cluster.unreachable.is_some())
            .then(|| self.inventory.control_plane().name.as_str())
    }

    fn plan(&self, fleet: &Fleet) -> Plan {
        let hosts = self.inventory.hosts.iter();
        let hosts = hosts.filter_map(|host| Some(self.host_plan(host, fleet.get(&host.name)?, fleet))).collect();
        Plan { waves: vec![Wave::of(hosts)], ca: self.ca(fleet).map(str::to_owned) }
    }

    fn expectation(&self, fleet: &Fleet) -> Option<Expectation> {
        let asked_on = self.inventory.control_plane().name.clone();
        fleet.contains_key(&asked_on).then(|| Expectation {
            asked_on,
            nodes: fleet.values().map(Facts::node_name).collect(),
            addresses: self.moved(fleet).collect(),
            pod_network: Some(self.pod_network.manifest.daemon_set),
            whole: fleet.len() == self.inventory.hosts.len(),
        })
    }
}

/// Whether `kfleet reinit --from-scratch` was cut before the new control plane was there.
fn is_being_made_anew(control_plane: &Facts) -> bool {
    let phase = Begun::of(control_plane).map(|begun| Phase::of(control_plane, &begun.id, &begun.id));
    phase == Some(Phase::Aside) || (phase == Some(Phase::Reset) && !living(control_plane))
}
