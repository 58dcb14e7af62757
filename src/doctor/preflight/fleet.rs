use std::collections::BTreeMap;

use semver::Version;

use crate::doctor::runs_cluster;
use crate::facts::Facts;
use crate::inventory::{Host, Inventory, KubernetesVersion, Role};

/// The hosts that answered, in inventory order, each with its facts.
pub(super) struct Fleet<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) hosts: Vec<(&'a Host, &'a Facts)>,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(inventory: &'a Inventory, facts: &'a BTreeMap<String, Facts>) -> Self {
        let hosts = inventory.hosts.iter().filter_map(|host| Some((host, facts.get(&host.name)?))).collect();
        Self { inventory, hosts }
    }

    /// The control plane's facts, if it answered.
    pub(super) fn control_plane(&self) -> Option<&'a Facts> {
        self.hosts.iter().find(|(host, _)| host.role == Role::ControlPlane).map(|(_, facts)| *facts)
    }

    /// The control plane's facts, if it runs a cluster already.
    pub(super) fn living(&self) -> Option<&'a Facts> {
        self.control_plane().filter(|facts| runs_cluster(facts))
    }

    /// The version that the API server has or is to have, as far as it is known.
    pub(super) fn kubernetes(&self) -> Option<&'a Version> {
        let running = self.living().and_then(|facts| facts.kubeadm.manifests.as_ref()?.version.as_ref());
        running.or_else(|| match &self.inventory.cluster.kubernetes {
            KubernetesVersion::Exactly(version) => Some(version),
            KubernetesVersion::AsInstalled => self.control_plane()?.packages.kubeadm.as_ref(),
        })
    }

    /// Whether the inventory lets this preflight check of kubeadm's fail. kubeadm does not mind their case.
    pub(super) fn ignores(&self, check: &str) -> bool {
        let ignored = &self.inventory.cluster.ignore_preflight_errors;
        ignored.iter().any(|name| name.eq_ignore_ascii_case(check) || name.eq_ignore_ascii_case("all"))
    }
}

/// Whether kubeadm made this host a node already, so that neither `init` nor `join` will run there.
pub(super) fn is_member(facts: &Facts) -> bool {
    facts.kubeadm.kubeconfigs.contains_key("kubelet")
}
