use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use crate::doctor::{Finding, Stops, differences, preflight, runs_cluster};
use crate::events::Severity;
use crate::facts::{Facts, Wanted, endpoint_address};
use crate::inventory::{Host, Inventory, Role};
use crate::steps::{
    AddressChange, FreshLease, HostsFile, KeptKubeconfig, MovedControlPlane, MovedWorker, PodNetwork, Record,
    RestoreProgress, Step,
};

use super::admin_certificate::expired;
use super::course::{self, Course};
use super::one_control_plane::several;
use super::openings;
use super::{Expectation, Fleet, HostPlan, Plan, Recipe, Wave, Workstation};

/// `kfleet reinit`: the cluster goes on at another address of its control plane.
pub struct Reinit {
    pub(super) inventory: Inventory,
    workstation: Workstation,
    pod_network: PodNetwork,
    pub(super) options: ReinitOptions,
}

/// What a person can say of it beside the inventory.
#[derive(Debug, Clone, Default)]
pub struct ReinitOptions {
    /// The old addresses, where the hosts name several that they may be.
    pub from: BTreeSet<IpAddr>,
    /// Whether the last change is taken back.
    pub rollback: bool,
    /// How many workers of a wave may fail and the next one still begins.
    pub max_failures: usize,
    /// When this run began.
    pub now: Timestamp,
}

/// Of preflight, what matters to a cluster that runs: the rest is `up`'s.
const CHECKS: [&str; 10] = [
    "advertise-address-absent",
    "advertise-address-family",
    "advertise-address-local",
    "advertise-address-vpn",
    "clock",
    "foreign-cluster",
    "hostname-twice",
    "kubectl-missing",
    "renamed",
    "role",
];
/// What may differ between the inventory and the cluster: it is what this is for.
const MOVES: [&str; 2] = ["living-cluster-address", "living-cluster-endpoint"];
/// In how many waves the workers follow at most. Each takes about 20 s, and five minutes after the API went away pods are evicted.
const WAVES: usize = 8;
/// What a wave has at least, and as many as are worked on at once by default.
const WAVE: usize = 10;
const LARGEST_FLEET: usize = WAVES * 32;

impl Reinit {
    /// The recipe for an inventory that has the new address.
    #[must_use]
    pub fn new(
        inventory: Inventory,
        workstation: Workstation,
        pod_network: PodNetwork,
        options: ReinitOptions,
    ) -> Self {
        Self { inventory, workstation, pod_network, options }
    }

    pub(super) fn control_plane<'a>(&self, fleet: &'a Fleet) -> Option<&'a Facts> {
        fleet.get(&self.inventory.control_plane().name)
    }

    /// After a rollback /etc/hosts waits for an inventory that has the old address again.
    fn base<'a>(&'a self, host: &'a Host) -> Course<'a> {
        let mut steps: Vec<Box<dyn Step + 'a>> = Vec::new();
        if !self.options.rollback {
            steps.push(Box::new(HostsFile::new(&self.inventory, &host.name, self.workstation.hosts())));
        }
        if host.role == Role::ControlPlane {
            steps.push(Box::new(openings::firewall(&self.inventory, host)));
        }
        Course::new(steps)
    }

    fn moved_control_plane<'a>(&'a self, change: &'a AddressChange, facts: Option<&Facts>) -> MovedControlPlane<'a> {
        let backup = facts.and_then(|facts| self.restored(facts));
        MovedControlPlane::new(&self.inventory, change).restoring(backup)
    }

    fn of_control_plane<'a>(&'a self, change: &'a AddressChange, facts: Option<&Facts>) -> Vec<Course<'a>> {
        let moved = self.moved_control_plane(change, facts);
        vec![self.base(self.inventory.control_plane()), Course::new(vec![Box::new(moved)])]
    }

    fn of_worker<'a>(
        &'a self,
        host: &'a Host,
        change: &'a AddressChange,
        control_plane: Option<&Facts>,
    ) -> Vec<Course<'a>> {
        vec![self.base(host), Course::new(vec![Box::new(self.moved_worker(change, control_plane))])]
    }

    fn moved_worker<'a>(&self, change: &'a AddressChange, control_plane: Option<&Facts>) -> MovedWorker<'a> {
        let manifests = control_plane.and_then(|facts| facts.kubeadm.manifests.as_ref());
        let port = manifests.and_then(|manifests| manifests.port).unwrap_or(self.inventory.cluster.port);
        let subnet = manifests.and_then(|manifests| manifests.service_cidr.clone());
        MovedWorker::new(change, port, subnet.unwrap_or_else(|| self.inventory.cluster.service_cidr.to_string()))
    }

    /// The control plane's own part: its change, and the kubeconfig for the workstation after it.
    fn first(&self, facts: &Facts, change: &AddressChange) -> HostPlan {
        let moves = !self.moved_control_plane(change, Some(facts)).plan(facts).actions().is_empty();
        let kept = if moves { None } else { self.workstation.kept_kubeconfig() };
        let mut courses = self.of_control_plane(change, Some(facts));
        courses.push(Course::new(vec![Box::new(KeptKubeconfig::new(kept))]).passing());
        course::host_plan(self.inventory.control_plane(), &courses, facts)
    }

    /// Worker by worker, those first that have to follow.
    fn workers(&self, fleet: &Fleet, change: &AddressChange) -> Vec<(bool, HostPlan, String)> {
        let control_plane = self.control_plane(fleet);
        let plan = |host: &Host| {
            let facts = fleet.get(&host.name)?;
            let change = self.change_of(change, facts);
            let moves = !self.moved_worker(&change, control_plane).plan(facts).actions().is_empty();
            let plan = course::host_plan(host, &self.of_worker(host, &change, control_plane), facts);
            // One that is refused is left out, and can prove nothing.
            let follows = moves && plan.refusals().is_empty();
            Some((follows, plan, facts.node_name()))
        };
        let mut plans: Vec<_> = self.inventory.workers().filter_map(plan).collect();
        plans.sort_by_key(|(follows, ..)| !follows);
        plans
    }

    /// The canary's lease, looked at where the API server is.
    fn proof(&self, node: String, facts: &Facts) -> HostPlan {
        let course = Course::new(vec![Box::new(FreshLease::of(Some(node)))]);
        course::later_plan(self.inventory.control_plane(), vec![course], facts)
    }

    /// What the inventory wants otherwise than the cluster has it, and this does not change.
    fn disagreements(&self, facts: &Facts) -> Vec<Finding> {
        let differences = differences(&self.inventory, facts).into_iter();
        let kept = differences.filter(|difference| !MOVES.contains(&difference.check)).map(Finding::from);
        let named = facts.kubeadm.kubeconfigs.get("admin").is_some_and(|admin| admin.address().is_none());
        let wanted =
            self.inventory.cluster.endpoint.as_deref().is_some_and(|endpoint| endpoint_address(endpoint).is_none());
        let admin = facts.kubeadm.kubeconfigs.get("admin").map_or("", |admin| admin.server.as_str());
        let endpoint = (named != wanted).then(|| {
            let reason = match &self.inventory.cluster.endpoint {
                Some(endpoint) => {
                    format!("the inventory's endpoint is {endpoint}, and the cluster was made without: it asks {admin}")
                }
                None => format!("the cluster was made with an endpoint, {admin}, and the inventory has none"),
            };
            Finding::of_fleet(Severity::Error, "living-cluster-endpoint", reason)
                .with_hint("kubeadm takes an endpoint at the first init only: write in [cluster] what the cluster has")
        });
        let standing = self.standing_endpoint(facts).map(|address| {
            let admin = admin.trim_start_matches("https://").trim_end_matches('/');
            let reason = format!(
                "admin.conf asks {admin}, which stands in no manifest and is not of etcd: it seems to be what stands for \
                 the control plane, as a load balancer does"
            );
            let hint = format!("write endpoint = \"{admin}\" in [cluster]; or, if it is an old address, say --from {address}");
            Finding::of_fleet(Severity::Error, "living-cluster-endpoint", reason).with_hint(hint)
        });
        kept.chain(endpoint).chain(standing).collect()
    }
}

impl Recipe for Reinit {
    fn command(&self) -> &'static str {
        "reinit"
    }

    fn rehearsal(&self) -> &'static str {
        "reinit --plan"
    }

    fn wanted(&self, host: &str) -> Wanted {
        let nothing = AddressChange { from: BTreeSet::new(), to: IpAddr::from([0, 0, 0, 0]) };
        let hosts = self.inventory.hosts.iter().filter(|candidate| candidate.name == host);
        let courses = hosts.flat_map(|host| match host.role {
            Role::ControlPlane => self.of_control_plane(&nothing, None),
            Role::Worker => self.of_worker(host, &nothing, None),
        });
        courses.map(|course| course.probe()).fold(Record::wanted().and(RestoreProgress::wanted()), Wanted::and)
    }

    fn preflight(&self, fleet: &Fleet) -> Vec<Finding> {
        let name = &self.inventory.control_plane().name;
        let Some(control_plane) = self.control_plane(fleet) else {
            return vec![Finding::of_missing_control_plane(&self.inventory)];
        };
        if !runs_cluster(control_plane) {
            let reason = "there is no cluster here whose address could be changed".to_owned();
            let finding = Finding::of_host(name, Severity::Error, "control-plane", reason);
            return vec![finding.with_hint("`kfleet up` makes one")];
        }
        // Every member's address would pass for an old one of this.
        if let Some(finding) = several(name, fleet) {
            return vec![finding];
        }
        let mut findings = self.disagreements(control_plane);
        findings.extend(expired(name, control_plane, self.options.now));
        if RestoreProgress::of(control_plane).is_some_and(|kept| !kept.is_restored()) {
            let reason = "a restore of its etcd was cut".to_owned();
            let finding = Finding::of_host(name, Severity::Error, "etcd-snapshot", reason);
            findings.push(finding.with_hint("`kfleet reinit --restore-etcd` goes on with it; then begin again"));
        }
        // Beside the old address it would ask for what stands for it.
        findings.extend(self.change(fleet).err().filter(|_| self.standing_endpoint(control_plane).is_none()));
        let of_fleet = preflight(&self.inventory, fleet).into_iter();
        // A rollback goes where the inventory does not say.
        let is_wanted =
            |check: &str| CHECKS.contains(&check) && !(self.options.rollback && check.starts_with("advertise"));
        findings.extend(of_fleet.filter(|finding| is_wanted(finding.check)));
        if self.inventory.workers().count() > LARGEST_FLEET {
            let reason =
                format!("with more than {LARGEST_FLEET} workers the last may be away for longer than five minutes");
            findings.push(
                Finding::of_fleet(Severity::Warning, "eviction", reason)
                    .with_hint("their pods are then evicted and started elsewhere; a larger -j makes it less likely"),
            );
        }
        findings
    }

    fn stops(&self, finding: &Finding) -> Stops {
        finding.stops(&self.inventory)
    }

    fn plan(&self, fleet: &Fleet) -> Plan {
        let (Some(facts), Ok(change)) = (self.control_plane(fleet), self.change(fleet)) else { return Plan::default() };
        let mut waves = vec![Wave::of(vec![self.first(facts, &change)])];
        let mut workers = self.workers(fleet, &change);
        if let Some((true, ..)) = workers.first() {
            let (_, canary, node) = workers.remove(0);
            waves.push(Wave::of(vec![canary]));
            waves.push(Wave::of(vec![self.proof(node, facts)]));
        }
        let size = workers.len().div_ceil(WAVES).max(WAVE);
        let mut workers = workers.into_iter().map(|(_, plan, _)| plan).peekable();
        while workers.peek().is_some() {
            let hosts = workers.by_ref().take(size).collect();
            waves.push(Wave { hosts, may_fail: self.options.max_failures });
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
