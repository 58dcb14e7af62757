use std::collections::{BTreeMap, BTreeSet};

use super::super::found::{Found, Given, Notes, Place};
use super::super::import_error::ImportError;
use super::variables::{self, Variables};

/// An inventory of Ansible as it is read: hosts, and groups that hold hosts and groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// In the order in which they are first named.
    hosts: Vec<Given>,
    of_host: BTreeMap<String, Variables>,
    groups: BTreeMap<String, Group>,
}

#[derive(Debug, Default)]
struct Group {
    /// Where it is first spoken of.
    at: Option<Place>,
    /// Whether it is more than a name among another's children.
    declared: bool,
    hosts: BTreeSet<String>,
    children: BTreeSet<String>,
    variables: Variables,
}

/// Groups that say nothing of a host.
const EVERYONE: [&str; 2] = ["all", "ungrouped"];

impl Groups {
    /// A group that the file declares.
    pub(super) fn declare(&mut self, group: &str, at: &Place) {
        let group = self.group(group, at);
        group.declared = true;
    }

    /// A host, in a group where one is named; what is said of it comes over what was said before.
    pub(super) fn add_host(&mut self, group: &str, host: &str, at: &Place, said: Variables) {
        if !self.of_host.contains_key(host) {
            self.hosts.push(Given::new(host, at));
        }
        self.of_host.entry(host.to_owned()).or_default().extend(said);
        self.group(group, at).hosts.insert(host.to_owned());
    }

    pub(super) fn add_child(&mut self, group: &str, child: &str, at: &Place) {
        self.group(group, at).children.insert(child.to_owned());
        self.group(child, at);
    }

    pub(super) fn add_variables(&mut self, group: &str, said: Variables, at: &Place) {
        self.group(group, at).variables.extend(said);
    }

    fn group(&mut self, group: &str, at: &Place) -> &mut Group {
        let group = self.groups.entry(group.to_owned()).or_default();
        group.at.get_or_insert_with(|| at.clone());
        group
    }

    /// The hosts, each with all that holds for it.
    ///
    /// # Errors
    /// When groups contain each other.
    pub(super) fn into_hosts(self, notes: &mut Notes) -> Result<Vec<Found>, ImportError> {
        for (name, group) in &self.groups {
            if let Some(at) = group.at.as_ref().filter(|_| !group.declared && !EVERYONE.contains(&name.as_str())) {
                notes.say(at, format!("the group `{name}` is named and never described; Ansible refuses that"));
            }
        }
        let depths = self.depths()?;
        let kubernetes = self.groups.keys().any(|group| is_control_plane(group) || is_node(group));
        let hosts = self.hosts.iter().filter_map(|name| {
            let groups = self.groups_of(&name.text, &depths);
            // What is nearer to the host comes over what is farther from it, and of equals the later name.
            let mut said = self.groups.get("all").map(|all| all.variables.clone()).unwrap_or_default();
            for group in groups.iter().filter_map(|group| self.groups.get(*group)) {
                said.extend(group.variables.clone());
            }
            said.extend(self.of_host.get(&name.text).cloned().unwrap_or_default());
            let mut host = Found::new(name.clone());
            host.groups = groups.iter().map(|group| Given::new(*group, &name.at)).collect();
            host.control_plane = groups.iter().any(|group| is_control_plane(group));
            let outside = kubernetes && !host.control_plane && !groups.iter().any(|group| is_node(group));
            let mut host = variables::apply(host, said, kubernetes, notes)?;
            if outside {
                let text = "in no group of Kubernetes nodes, and a worker for `kfleet up`";
                host.caution = Some(format!("Is {text}: take it out before."));
                notes.say(&host.name.at, format!("`{}` is {text}", host.name.text));
            }
            Some(host)
        });
        Ok(hosts.collect())
    }

    /// Every group that the host is in, itself or by a group within it; the farthest from the host first.
    fn groups_of<'a>(&'a self, host: &str, depths: &BTreeMap<&'a str, usize>) -> Vec<&'a str> {
        let mut within: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&str> =
            self.groups.iter().filter(|(_, group)| group.hosts.contains(host)).map(|(name, _)| name.as_str()).collect();
        while let Some(group) = next.pop() {
            if within.insert(group) {
                next.extend(
                    self.groups
                        .iter()
                        .filter(|(_, other)| other.children.contains(group))
                        .map(|(name, _)| name.as_str()),
                );
            }
        }
        let mut groups: Vec<_> = within.into_iter().filter(|group| !EVERYONE.contains(group)).collect();
        groups.sort_by_key(|group| (depths.get(group).copied().unwrap_or_default(), *group));
        groups
    }

    /// How far each group is below the outermost, by the longest way.
    fn depths(&self) -> Result<BTreeMap<&str, usize>, ImportError> {
        let mut depths: BTreeMap<&str, usize> = self.groups.keys().map(|name| (name.as_str(), 0)).collect();
        for _ in 0..=self.groups.len() {
            let mut changed = None;
            for (name, group) in &self.groups {
                let below = depths.get(name.as_str()).copied().unwrap_or_default() + 1;
                for child in &group.children {
                    if let Some(depth) = depths.get_mut(child.as_str()).filter(|depth| **depth < below) {
                        *depth = below;
                        changed = Some((name, group));
                    }
                }
            }
            let Some((name, group)) = changed else { return Ok(depths) };
            if let (Some(at), true) = (&group.at, depths.values().any(|depth| *depth > self.groups.len())) {
                let message = format!("the group `{name}` contains itself, by the groups within it");
                return Err(ImportError::Syntax { at: at.clone(), message });
            }
        }
        Ok(depths)
    }
}

/// Whether a group's name is one of those that people give the control plane: Kubespray's, kubeadm's, the old ones.
fn is_control_plane(group: &str) -> bool {
    let group = group.to_ascii_lowercase().replace(['_', '.'], "-");
    let bare = ["kubernetes-", "kube-", "k8s-", "k3s-"].iter().find_map(|prefix| group.strip_prefix(prefix));
    matches!(
        bare.unwrap_or(&group),
        "control-plane"
            | "control-planes"
            | "controlplane"
            | "controlplanes"
            | "master"
            | "masters"
            | "controller"
            | "controllers"
    )
}

fn is_node(group: &str) -> bool {
    let group = group.to_ascii_lowercase().replace(['_', '.'], "-");
    let bare = ["kubernetes-", "kube-", "k8s-", "k3s-"].iter().find_map(|prefix| group.strip_prefix(prefix));
    let node = |name| matches!(name, "node" | "nodes" | "worker" | "workers" | "agent" | "agents");
    bare.is_some_and(node) || matches!(group.as_str(), "worker" | "workers")
}
