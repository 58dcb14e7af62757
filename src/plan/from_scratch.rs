use jiff::Timestamp;

use crate::doctor::{Finding, Stops};
use crate::facts::{Facts, Wanted};
use crate::inventory::{Host, Inventory, Role};
use crate::steps::{
    DnsReady, JoinToken, NoStaleNodes, NodeMarks, NodesAsBefore, NodesReady, Phase, PodNetwork, PutAside, ScratchMark,
    living,
};

use super::course::{self, Course};
use super::from_scratch_view::View;
use super::undo::{Undo, is_ours};
use super::{Expectation, Fleet, HostPlan, Plan, Planned, Recipe, Stage, Up, Wave, Workstation};

/// `kfleet reinit --from-scratch`: the cluster is made anew on its hosts, for when etcd or the CA is lost.
///
/// First the control plane: what it has is put aside, it is reset, and `up`'s stages make it again, under the same CA where
/// that is kept. Then the workers, some at a time: reset, joined, with the labels and taints that they had, Ready.
pub struct FromScratch {
    pub(super) up: Up,
    pub(super) options: FromScratchOptions,
}

/// What a run of it knows beside the inventory.
#[derive(Debug, Clone)]
pub struct FromScratchOptions {
    /// How many workers may be away at once; at least one.
    pub max_unavailable: usize,
    /// When this run began: tells it from every other, and a certificate that is good from one that is not.
    pub now: Timestamp,
}

impl FromScratchOptions {
    /// The run's own name, as `20261127T014500Z`.
    pub(super) fn id(&self) -> String {
        self.now.strftime("%Y%m%dT%H%M%SZ").to_string()
    }
}

impl FromScratch {
    /// The recipe for an inventory.
    #[must_use]
    pub fn new(
        inventory: Inventory,
        workstation: Workstation,
        pod_network: PodNetwork,
        options: FromScratchOptions,
    ) -> Self {
        Self { up: Up::new(inventory, workstation, pod_network), options }
    }

    pub(super) fn inventory(&self) -> &Inventory {
        &self.up.inventory
    }

    pub(super) fn undo(&self) -> Undo<'_> {
        Undo::new(self.inventory(), self.up.workstation.kubeconfig.as_ref())
    }

    /// What `host` has to do to be as `up` makes it; what it was is taken away first, unless that was done.
    fn host_plan(&self, host: &Host, fleet: &Fleet, view: &View, after: &[Course<'_>]) -> Option<HostPlan> {
        let (facts, seen) = (fleet.get(&host.name)?, view.seen.get(&host.name)?);
        let mut plan = course::host_plan(host, after, seen);
        if view.phase(facts) >= Phase::Reset {
            return Some(plan);
        }
        let gone = match is_ours(facts, view.begun.ca.as_deref()) {
            Err(refusal) => {
                let planned = Planned { step: "reset", change: refusal.into(), passing: false };
                plan.stages = vec![Stage { steps: vec![planned] }];
                return Some(plan);
            }
            Ok(true) => self.undo().of_node(host),
            Ok(false) => Vec::new(),
        };
        let mut before = Vec::new();
        if host.role == Role::ControlPlane {
            before.push(Course::new(vec![Box::new(PutAside::new(&view.begun, view.goes_on))]));
        }
        before.extend(gone);
        before.push(Course::new(vec![Box::new(ScratchMark::reset(&view.begun.id))]).passing());
        let before = before.iter().map(|course| course.plan(facts));
        plan.stages.splice(0..0, before);
        Some(plan)
    }

    /// The control plane, and what it puts back on the nodes that are in the cluster already.
    fn first(&self, fleet: &Fleet, view: &View) -> Option<HostPlan> {
        let host = self.inventory().control_plane();
        // No worker waits for it: they come in waves of their own.
        let alone = view.seen.get_key_value(&host.name).map(|(name, facts)| (name.clone(), facts.clone()));
        let alone: Fleet = alone.into_iter().collect();
        let pki = view.begun.kept_pki();
        let mut courses = self.up.courses(host, &alone, pki.as_deref());
        let cluster = alone.values().find_map(|facts| facts.cluster.as_ref());
        let own = alone.values().map(Facts::node_name);
        let names: Vec<String> = match cluster {
            Some(cluster) => cluster.nodes.iter().map(|node| node.name.clone()).collect(),
            None => own.collect(),
        };
        let step = NodesAsBefore { cluster, ..self.as_before(&names, view) };
        courses.push(Course::new(vec![Box::new(step)]));
        self.host_plan(host, fleet, view, &courses)
    }

    /// What these Nodes had, in a cluster that does not have them yet.
    fn as_before(&self, names: &[String], view: &View) -> NodesAsBefore<'static> {
        let marks = |name: &String| -> Option<(String, NodeMarks)> {
            Some((name.clone(), view.begun.nodes.as_ref()?.get(name)?.clone()))
        };
        let control_plane = view.seen.get(&self.inventory().control_plane().name).map(Facts::node_name);
        NodesAsBefore {
            nodes: names.iter().filter_map(marks).collect(),
            cluster: None,
            control_plane: control_plane.unwrap_or_default(),
        }
    }

    /// The workers: those that stay as they are, and those that are on their way into the cluster, with their Nodes' names.
    fn workers(&self, fleet: &Fleet, view: &View) -> (Vec<HostPlan>, Vec<(HostPlan, String)>) {
        let (mut settled, mut away) = (Vec::new(), Vec::new());
        for host in self.inventory().workers() {
            let courses = self.up.courses(host, &view.seen, None);
            let Some(plan) = self.host_plan(host, fleet, view, &courses) else { continue };
            // A join that an earlier run began may go on by itself: its Node has nothing yet of what it had.
            let comes = plan.planned().any(|planned| planned.step == "worker" && !planned.change.actions().is_empty());
            match fleet.get(&host.name).filter(|_| comes) {
                Some(facts) => away.push((plan, facts.node_name())),
                None => settled.push(plan),
            }
        }
        (settled, away)
    }

    /// What the control plane does for others.
    fn aside(&self, facts: &Facts, courses: Vec<Course<'_>>) -> HostPlan {
        course::later_plan(self.inventory().control_plane(), courses, facts)
    }

    /// A wave of workers that go and come back; then what makes sure of them.
    fn round(&self, round: Vec<(HostPlan, String)>, facts: &Facts, view: &View) -> [Wave; 2] {
        let joining: Vec<String> =
            round.iter().filter(|(plan, _)| plan.needs_grant()).map(|(_, name)| name.clone()).collect();
        let (workers, names): (Vec<_>, Vec<_>) = round.into_iter().unzip();
        let token = (!joining.is_empty()).then(|| {
            let before = Course::new(vec![Box::new(NoStaleNodes { nodes: joining }), Box::new(JoinToken::new(true))]);
            self.aside(facts, vec![before])
        });
        let marks = self.as_before(&names, view);
        let ready = NodesReady { nodes: names };
        let proof = self.aside(facts, vec![Course::new(vec![Box::new(marks), Box::new(ready)])]);
        [Wave::of(token.into_iter().chain(workers).collect()), Wave::of(vec![proof])]
    }

    /// The end is the end only when the cluster works: until then the same command goes on.
    fn last(&self, fleet: &Fleet, facts: &Facts, view: &View) -> Wave {
        let ready = NodesReady { nodes: fleet.values().map(Facts::node_name).collect() };
        let done = ScratchMark::done(&view.begun.id, &self.options.id());
        let courses = vec![Course::new(vec![Box::new(ready), Box::new(DnsReady)]), Course::new(vec![Box::new(done)])];
        Wave::of(vec![self.aside(facts, courses)])
    }
}

impl Recipe for FromScratch {
    fn command(&self) -> &'static str {
        "reinit --from-scratch"
    }

    fn rehearsal(&self) -> &'static str {
        "reinit --from-scratch --plan"
    }

    fn wanted(&self, host: &str) -> Wanted {
        let found = self.inventory().hosts.iter().find(|candidate| candidate.name == host);
        let undo = found.map(|host| self.undo().wanted(host)).unwrap_or_default();
        // Only where etcd is there is it asked for its members.
        let traces = host == self.inventory().control_plane().name;
        self.up.wanted(host).and(undo).and(View::wanted()).and(Wanted { traces, ..Wanted::default() })
    }

    fn preflight(&self, fleet: &Fleet) -> Vec<Finding> {
        self.findings(fleet)
    }

    fn stops(&self, finding: &Finding) -> Stops {
        finding.stops(self.inventory())
    }

    /// Only a control plane that was made anew has to answer: that the old one does not is what this is for.
    fn silent<'a>(&'a self, fleet: &Fleet) -> Option<&'a str> {
        let host = &self.inventory().control_plane().name;
        let facts = fleet.get(host)?;
        let view = self.view(fleet);
        let is_new = view.phase(facts) >= Phase::Reset && living(facts);
        let silent = facts.cluster.as_ref().is_some_and(|cluster| cluster.unreachable.is_some());
        (is_new && silent).then_some(host.as_str())
    }

    fn plan(&self, fleet: &Fleet) -> Plan {
        let view = self.view(fleet);
        let Some(facts) = self.up.control_plane(fleet) else { return Plan::default() };
        let mut waves: Vec<Wave> = self.first(fleet, &view).map(|first| Wave::of(vec![first])).into_iter().collect();
        let (settled, mut away) = self.workers(fleet, &view);
        let is_refused = |plan: &HostPlan| !plan.refusals().is_empty();
        let is_whole = view.is_whole(self.inventory()) && !settled.iter().any(is_refused);
        if !settled.is_empty() {
            waves.push(Wave::of(settled));
        }
        while !away.is_empty() {
            let rest = away.split_off(self.options.max_unavailable.max(1).min(away.len()));
            waves.extend(self.round(std::mem::replace(&mut away, rest), facts, &view));
        }
        if is_whole {
            waves.push(self.last(fleet, facts, &view));
        }
        Plan { waves, ca: self.ca(&view) }
    }

    fn expectation(&self, fleet: &Fleet) -> Option<Expectation> {
        self.up.expectation(fleet)
    }
}

impl FromScratch {
    /// The new cluster's CA, where it is known before the run.
    fn ca(&self, view: &View) -> Option<String> {
        let kept = view.begun.ca.clone().filter(|_| view.begun.keeps_ca);
        let authority = || Some(self.up.workstation.authority.as_ref()?.certificate().to_owned());
        let made = || {
            let facts = self.up.control_plane(&view.seen).filter(|facts| living(facts))?;
            facts.kubeadm.ca_certificate.clone()
        };
        kept.or_else(made).or_else(authority)
    }
}
