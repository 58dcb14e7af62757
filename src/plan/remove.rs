use std::collections::{BTreeMap, BTreeSet};

use crate::doctor::{Finding, Stops};
use crate::events::Severity;
use crate::facts::{ClusterFacts, Facts, Wanted};
use crate::inventory::{Host, Inventory, Role};
use crate::steps::{HostsFile, Leave, NodeGone, NodesCordoned, Record, Step, living};

use super::course::record;
use super::undo::Undo;
use super::{Expectation, Fleet, HostPlan, Plan, Planned, Recipe, Stage, Wave, Workstation};

/// `kfleet remove`: some workers leave the cluster and are as before `up`; the others forget their names.
pub struct Remove {
    /// With all hosts.
    inventory: Inventory,
    /// Without those that leave.
    rest: Inventory,
    workstation: Workstation,
    leave: Leave,
}

impl Remove {
    /// The recipe for workers that leave, by their names in the inventory.
    #[must_use]
    pub fn new(inventory: Inventory, workstation: Workstation, leaving: &BTreeSet<String>, leave: Leave) -> Self {
        let mut rest = inventory.clone();
        rest.hosts.retain(|host| !leaving.contains(&host.name) || host.role == Role::ControlPlane);
        Self { inventory, rest, workstation, leave }
    }

    fn leaving(&self) -> impl Iterator<Item = &Host> {
        self.inventory.hosts.iter().filter(|host| !self.stays(&host.name))
    }

    fn stays(&self, host: &str) -> bool {
        self.rest.hosts.iter().any(|staying| staying.name == host)
    }

    fn undo(&self) -> Undo<'_> {
        Undo::new(&self.inventory, self.workstation.kubeconfig.as_ref())
    }

    fn control_plane<'a>(&self, fleet: &'a Fleet) -> Option<&'a Facts> {
        fleet.get(&self.inventory.control_plane().name)
    }

    fn cluster<'a>(&self, fleet: &'a Fleet) -> Option<&'a ClusterFacts> {
        self.control_plane(fleet)?.cluster.as_ref().filter(|cluster| cluster.unreachable.is_none())
    }

    /// First the nodes leave the cluster, one after the other; none takes the pods of one before it.
    fn nodes_gone(&self, fleet: &Fleet) -> Option<HostPlan> {
        let (facts, cluster) = (self.control_plane(fleet)?, self.cluster(fleet));
        let planned =
            |step: &dyn Step| Planned { step: step.name(), change: step.plan(facts).in_safe_words(), passing: false };
        let nodes: Vec<String> = self.leaving().map(|host| node_of(host, fleet.get(&host.name), cluster)).collect();
        let cordoned = NodesCordoned { nodes: nodes.clone(), cluster };
        let cordoned = matches!(self.leave, Leave::Drained(_)).then(|| planned(&cordoned));
        let cordoned = cordoned.filter(|planned| !planned.change.actions().is_empty());
        let gone = nodes.into_iter().map(|node| planned(&NodeGone { node, cluster, leave: self.leave }));
        let steps = cordoned.into_iter().chain(gone).collect();
        Some(HostPlan {
            host: self.inventory.control_plane().name.clone(),
            record: None,
            stages: vec![Stage { steps }],
        })
    }

    fn hosts_file(&self, host: &str) -> HostsFile {
        HostsFile::new(&self.rest, host, self.workstation.hosts())
    }

    fn forgets(&self, host: &Host, facts: &Facts) -> HostPlan {
        let step = self.hosts_file(&host.name);
        let change = step.plan(facts);
        let record = record(facts, change.record());
        let planned = Planned { step: step.name(), change, passing: false };
        HostPlan { host: host.name.clone(), record, stages: vec![Stage { steps: vec![planned] }] }
    }

    fn unreached(&self, fleet: &Fleet) -> Vec<Finding> {
        let away = self.leaving().filter(|host| !fleet.contains_key(&host.name));
        let finding = |host: &Host| {
            let reason = format!("{} was not reached: it is neither drained nor reset", host.name);
            Finding::of_fleet(Severity::Error, "unreached", reason).with_hint(format!(
                "if it will never come back: `kfleet remove --dead {}` takes it out of the cluster without it",
                host.name
            ))
        };
        away.map(finding).collect()
    }

    /// Nodes that are not Ready and of which no host of the inventory is known to be one.
    fn lost(&self, fleet: &Fleet, cluster: &ClusterFacts) -> Vec<String> {
        let hosts = self.inventory.hosts.iter();
        let known: BTreeSet<String> = hosts.map(|host| node_of(host, fleet.get(&host.name), Some(cluster))).collect();
        let lost = cluster.nodes.iter().filter(|node| !node.ready && !known.contains(&node.name));
        lost.map(|node| node.name.clone()).collect()
    }

    /// A host that is no Node by anything that is known of it. If one that is lost is its own, its pods would wait for ever.
    fn nodeless(&self, host: &Host, fleet: &Fleet, cluster: &ClusterFacts) -> Finding {
        let lost = self.lost(fleet, cluster);
        let reason = format!("the cluster has no node that is {}, by name or address", host.name);
        if lost.is_empty() {
            return Finding::of_fleet(Severity::Warning, "no-node", reason)
                .with_hint("it goes from the inventory only");
        }
        let reason = format!("{reason}, and {} not Ready and no host of the inventory", told_of(&lost));
        let hint = "where one of these is it, give the host that name in the inventory, or `kubectl delete node` it, with \
                    `kubectl delete pods --force` for what was on it; then run this again";
        Finding::of_fleet(Severity::Error, "no-node", reason).with_hint(hint)
    }

    /// What holds of hosts that nobody can ask.
    fn dead(&self, fleet: &Fleet) -> Vec<Finding> {
        let finding = |host: &Host| {
            let node = node_of(host, None, self.cluster(fleet));
            let there = self.cluster(fleet).and_then(|cluster| cluster.nodes.iter().find(|it| it.name == node));
            if let Some(cluster) = self.cluster(fleet).filter(|_| there.is_none()) {
                return self.nodeless(host, fleet, cluster);
            }
            if there.is_some_and(|node| node.ready) {
                let reason = format!("node {node} is Ready: its pods may run, and would run twice");
                return Finding::of_fleet(Severity::Error, "not-dead", reason).with_hint(
                    "remove it without --dead; if it went down a moment ago, the cluster sees that after 40 s",
                );
            }
            let reason = format!(
                "{} is not touched: whatever kfleet brought stays there, and if it comes back its kubelet makes itself a \
                 node again",
                host.name
            );
            let hint = "before it meets the cluster's network again, run `kubeadm reset` on it or install it anew";
            Finding::of_fleet(Severity::Warning, "left-behind", reason).with_hint(hint)
        };
        self.leaving().map(finding).collect()
    }
}

fn told_of(nodes: &[String]) -> String {
    format!("{} {}", nodes.join(" and "), if nodes.len() == 1 { "is" } else { "are" })
}

/// The Node of a host: by its hostname, where that is known; else by its name in the inventory, or its address, which may
/// be a name too.
fn node_of(host: &Host, facts: Option<&Facts>, cluster: Option<&ClusterFacts>) -> String {
    if let Some(facts) = facts {
        return facts.node_name();
    }
    let nodes = cluster.map(|cluster| cluster.nodes.as_slice()).unwrap_or_default();
    let address = host.node_ip.or(host.ip()).map(|address| address.to_string());
    let called = |name: &str| nodes.iter().find(|node| node.name.eq_ignore_ascii_case(name));
    let by_name = called(&host.name).or_else(|| called(&host.address));
    let by_address = || nodes.iter().find(|node| node.address.is_some() && node.address == address);
    by_name.or_else(by_address).map_or_else(|| host.name.clone(), |node| node.name.clone())
}

impl Recipe for Remove {
    fn command(&self) -> &'static str {
        "remove"
    }

    fn rehearsal(&self) -> &'static str {
        "remove --dry-run"
    }

    fn wanted(&self, host: &str) -> Wanted {
        match self.leaving().find(|leaving| leaving.name == host) {
            Some(host) => self.undo().wanted(host),
            None => Record::wanted().and(self.hosts_file(host).probe()),
        }
    }

    fn preflight(&self, fleet: &Fleet) -> Vec<Finding> {
        let name = &self.inventory.control_plane().name;
        let error = |reason: String| vec![Finding::of_fleet(Severity::Error, "control-plane", reason)];
        match self.control_plane(fleet) {
            None => return error(format!("{name} was not reached: only its API server can let a node go")),
            Some(facts) if !living(facts) => return error(format!("{name} runs no cluster that a host could leave")),
            Some(_) => {}
        }
        let mut findings = match self.leave {
            Leave::Forgotten => self.dead(fleet),
            Leave::Drained(_) => self.unreached(fleet),
        };
        findings.extend(self.leaving().filter_map(|host| Undo::unknown(host, fleet.get(&host.name)?)));
        findings
    }

    fn stops(&self, finding: &Finding) -> Stops {
        finding.stops(&self.rest)
    }

    fn silent<'a>(&'a self, fleet: &Fleet) -> Option<&'a str> {
        let cluster = self.control_plane(fleet)?.cluster.as_ref()?;
        cluster.unreachable.is_some().then(|| self.inventory.control_plane().name.as_str())
    }

    fn plan(&self, fleet: &Fleet) -> Plan {
        let undo = self.undo();
        let ca = undo.ca(fleet);
        let reset = |host| Some(undo.host_plan(host, fleet.get(&host.name)?, ca.as_deref()));
        let forget = |host: &Host| Some(self.forgets(host, fleet.get(&host.name)?));
        let hosts = self.leaving().filter_map(reset).chain(self.rest.hosts.iter().filter_map(forget)).collect();
        let first = Wave::of(self.nodes_gone(fleet).into_iter().collect());
        Plan { waves: vec![first, Wave::of(hosts)], ca: None }
    }

    fn expectation(&self, fleet: &Fleet) -> Option<Expectation> {
        let cluster = self.cluster(fleet)?;
        let was_ready = |name: &String| cluster.nodes.iter().any(|node| node.name == *name && node.ready);
        let staying = fleet.iter().filter(|(host, _)| self.stays(host)).map(|(_, facts)| facts.node_name());
        Some(Expectation {
            asked_on: self.inventory.control_plane().name.clone(),
            nodes: staying.filter(was_ready).collect(),
            addresses: BTreeMap::new(),
            pod_network: None,
            whole: false,
        })
    }
}
