use crate::doctor::Finding;
use crate::events::Severity;

use super::Fleet;

/// Why a cluster cannot be moved, restored or made anew: it has more than one control plane, and on the others etcd would
/// go on without this one, or beside it.
///
/// Told by etcd itself and by the Nodes; while etcd is silent by its manifests, which are right until a member leaves.
pub(super) fn several(control_plane: &str, fleet: &Fleet) -> Option<Finding> {
    let facts = fleet.get(control_plane)?;
    let error = |reason: String, hint: &str| {
        let hint = format!("kfleet makes and moves clusters of one control plane{hint}");
        Finding::of_host(control_plane, Severity::Error, "several-control-planes", reason).with_hint(hint)
    };
    let members = facts.traces.as_ref().map_or(0, |traces| traces.etcd_members);
    if members > 1 {
        return Some(error(format!("etcd has {members} members"), ""));
    }
    let nodes = facts.cluster.iter().flat_map(|cluster| &cluster.nodes).filter(|node| node.control_plane);
    let nodes: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
    if nodes.len() > 1 {
        let hint = "; where the other is gone for good, take it out with `kubectl delete node`";
        return Some(error(format!("the cluster has several control planes: {}", nodes.join(", ")), hint));
    }
    // The first member's own manifest knows itself only; that of one that came later knows both.
    let own = facts.node_name();
    let beside = fleet.values().map(|facts| &facts.kubeadm.etcd_cluster).filter(|names| names.contains(&own));
    let names = beside.chain([&facts.kubeadm.etcd_cluster]).max_by_key(|names| names.len());
    let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    if members == 0 && names.len() > 1 {
        let reason = format!("etcd does not answer, and was made as one of several members: {}", names.join(", "));
        let hint = "; where the others are gone for good, take them out of --initial-cluster in \
                    /etc/kubernetes/manifests/etcd.yaml";
        return Some(error(reason, hint));
    }
    None
}
