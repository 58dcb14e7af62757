use std::time::Duration;

use crate::cluster::expiry;
use crate::doctor::runs_cluster;
use crate::facts::{Facts, KubeadmState, Kubeconfig, Wanted};
use crate::inventory::Inventory;
use crate::steps::{Begun, NodeMarks, Phase};

use super::from_scratch_words::{KUBELET, SUBNET, words};
use super::{Fleet, FromScratch};

/// A fleet on the way to being made anew.
pub(super) struct View {
    /// What is known of the old cluster, from when this began.
    pub(super) begun: Begun,
    /// Whether it goes on with what an earlier run began.
    pub(super) goes_on: bool,
    /// The hosts as they are when what they were is taken away.
    pub(super) seen: Fleet,
    run: String,
}

/// A CA that is good for less is of no use.
const LEAST: Duration = Duration::from_secs(24 * 60 * 60);

impl View {
    /// What must be read of a host beside its own steps' for it.
    pub(super) fn wanted() -> Wanted {
        Wanted { files: [SUBNET.to_owned(), KUBELET.to_owned()].into(), ..Wanted::default() }
    }

    /// How far a host has come.
    pub(super) fn phase(&self, facts: &Facts) -> Phase {
        Phase::of(facts, &self.begun.id, &self.run)
    }

    /// Whether every host of the inventory is in it.
    pub(super) fn is_whole(&self, inventory: &Inventory) -> bool {
        inventory.hosts.iter().all(|host| self.seen.contains_key(&host.name))
    }
}

impl FromScratch {
    /// The fleet as it is on the way.
    pub(super) fn view(&self, fleet: &Fleet) -> View {
        let run = self.options.id();
        let control_plane = self.up.control_plane(fleet);
        let kept = control_plane.and_then(|facts| {
            let begun = Begun::of(facts)?;
            match Phase::of(facts, &begun.id, &run) {
                Phase::Aside | Phase::Reset | Phase::Done { here: true } => Some(begun),
                Phase::Before | Phase::Done { here: false } => None,
            }
        });
        let goes_on = kept.is_some();
        let mut view = View { begun: kept.unwrap_or_else(|| self.begin(fleet)), goes_on, seen: Fleet::new(), run };
        let undo = self.undo();
        for (name, facts) in fleet {
            let is_new = view.phase(facts) >= Phase::Reset;
            let facts = if is_new { facts.clone() } else { undo.without_node(facts) };
            view.seen.insert(name.clone(), facts);
        }
        view
    }

    /// What is known of the cluster before anything is touched.
    fn begin(&self, fleet: &Fleet) -> Begun {
        let facts = self.up.control_plane(fleet);
        let state = facts.map(|facts| &facts.kubeadm);
        let manifests = state.and_then(|state| state.manifests.as_ref());
        let cluster = facts.and_then(|facts| facts.cluster.as_ref()).filter(|cluster| cluster.unreachable.is_none());
        let nodes = cluster
            .filter(|cluster| !cluster.nodes.is_empty())
            .map(|cluster| cluster.nodes.iter().map(|node| (node.name.clone(), NodeMarks::of(node))).collect());
        let of_workers = |read: fn(&Facts) -> Option<String>| fleet.values().find_map(read);
        let kept = || Kubeconfig::parse(self.up.workstation.kept_kubeconfig()?)?.ca_certificate;
        Begun {
            id: self.options.id(),
            keeps_ca: state.is_some_and(|state| self.unsound(state).is_none()),
            ca: state.and_then(|state| state.ca_certificate.clone()).or_else(kept),
            pods: manifests.and_then(|manifests| manifests.pod_cidr.clone()).or_else(|| of_workers(words::pods)),
            services: manifests.and_then(|manifests| manifests.service_cidr.clone()),
            dns_domain: of_workers(|facts| facts.kubeadm.dns_domain.clone()),
            port: manifests.and_then(|manifests| manifests.port),
            nodes,
        }
    }

    /// Why the CA on a control plane cannot go on.
    pub(super) fn unsound(&self, state: &KubeadmState) -> Option<String> {
        let Some(certificate) = &state.ca_certificate else {
            return Some("/etc/kubernetes/pki/ca.crt is not there".to_owned());
        };
        if !state.ca_key {
            return Some("/etc/kubernetes/pki/ca.key is not there".to_owned());
        }
        if state.ca_key_fits == Some(false) {
            return Some("/etc/kubernetes/pki/ca.key is not that of ca.crt".to_owned());
        }
        match expiry(certificate) {
            Ok(expiry) if expiry < self.options.now + LEAST => Some(format!("it ends {expiry}")),
            Ok(_) => None,
            Err(error) => Some(format!("/etc/kubernetes/pki/ca.crt: {error}")),
        }
    }

    /// Whether any of these hosts was ever a node.
    pub(super) fn is_any_node(fleet: &Fleet) -> bool {
        fleet.values().any(|facts| runs_cluster(facts) || facts.kubeadm.kubeconfigs.contains_key("kubelet"))
    }
}
