use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::{Node, Taint};

/// What people have put on a Node: all that no kubelet and no controller puts there by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeMarks {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// Whether it is cordoned.
    pub cordoned: bool,
}

/// The kubelet's own labels.
const OF_KUBELET: [&str; 5] = [
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
];
/// Taints that controllers put on and take off.
const OF_CONTROLLERS: [&str; 2] = ["node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"];
const CORDON: &str = "node.kubernetes.io/unschedulable";
/// kubeadm's taint of a control plane, by the names that it had; people take it off where pods are to run there.
const ROLE: [&str; 2] = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

impl NodeMarks {
    /// Those of a Node.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        let labels = node.labels.iter().filter(|(key, _)| !OF_KUBELET.contains(&key.as_str()));
        let is_own = |taint: &&Taint| !OF_CONTROLLERS.iter().any(|prefix| taint.key.starts_with(prefix));
        Self {
            labels: labels.map(|(key, value)| (key.clone(), value.clone())).collect(),
            taints: node.taints.iter().filter(is_own).cloned().collect(),
            cordoned: node.taints.iter().any(|taint| taint.key == CORDON),
        }
    }

    /// What is missing of these where there are those.
    #[must_use]
    pub fn without(&self, there: &Self) -> Self {
        let labels = self.labels.iter().filter(|(key, value)| there.labels.get(*key) != Some(value));
        Self {
            labels: labels.map(|(key, value)| (key.clone(), value.clone())).collect(),
            taints: self.taints.iter().filter(|taint| !there.taints.contains(taint)).cloned().collect(),
            cordoned: self.cordoned && !there.cordoned,
        }
    }

    /// The keys of a control plane's taints that are not among these.
    pub(super) fn untainted(&self) -> impl Iterator<Item = &'static str> {
        ROLE.into_iter().filter(|key| self.taints.iter().all(|taint| taint.key != *key))
    }

    /// Whether nobody has put anything on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
