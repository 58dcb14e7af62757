use crate::cluster::{PodNetwork, control_plane_ports, worker_ports};
use crate::inventory::{CniPlugin, Host, Inventory, PortRange, Protocol, Role};
use crate::steps::Firewall;

/// What the user's notes open for flannel, and the default: wider than any one backend needs, narrower on request.
const FLANNEL_PORTS: PortRange = PortRange { first: 8285, last: 8472, protocol: Protocol::Udp };

/// What a host's firewall is to let through: its role's ports, the pod network's, the inventory's own, and no more.
pub fn firewall(inventory: &Inventory, host: &Host) -> Firewall {
    let wanted = &inventory.firewall;
    let pods = network(inventory).map(PodNetwork::openings);
    let (role, more) = match host.role {
        Role::ControlPlane => (control_plane_ports(inventory.cluster.port), &wanted.control_plane_ports),
        Role::Worker => (worker_ports(), &wanted.worker_ports),
    };
    let pod_ports = match (&wanted.pod_network_ports, inventory.cluster.cni.plugin) {
        (Some(ports), _) => ports.clone(),
        (None, CniPlugin::Flannel) => vec![FLANNEL_PORTS],
        (None, CniPlugin::Calico | CniPlugin::Weave) => ranges(pods.iter().flat_map(|pods| pods.ports).copied()),
    };
    Firewall {
        manage: wanted.manage,
        zone: wanted.zone.clone(),
        address: host.ip(),
        ports: [ranges(role.iter().map(String::as_str)), pod_ports, wanted.ports.clone(), more.clone()].concat(),
        protocols: pods.iter().flat_map(|pods| pods.protocols).map(ToString::to_string).collect(),
        pod_interfaces: pods.iter().flat_map(|pods| pods.interfaces).map(ToString::to_string).collect(),
    }
}

/// The inventory's pod network; `None` for a backend that flannel does not have, which the inventory refuses.
fn network(inventory: &Inventory) -> Option<PodNetwork> {
    let cni = &inventory.cluster.cni;
    Some(match cni.plugin {
        CniPlugin::Flannel => PodNetwork::Flannel(cni.backend.parse().ok()?),
        CniPlugin::Calico => PodNetwork::Calico,
        CniPlugin::Weave => PodNetwork::Weave,
    })
}

fn ranges<'a>(ports: impl Iterator<Item = &'a str>) -> Vec<PortRange> {
    ports.filter_map(|port| port.parse().ok()).collect()
}
