use super::FlannelBackend;

/// A pod network, as far as a firewall is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodNetwork {
    /// Flannel with this backend.
    Flannel(FlannelBackend),
    /// Calico with any of its own encapsulations.
    Calico,
    /// Weave Net.
    Weave,
}

/// What a pod network needs of the firewall of every host, in firewalld's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodNetworkOpenings {
    /// Ports that the other nodes reach, as `8472/udp`.
    pub ports: &'static [&'static str],
    /// Protocols without ports, by number: not every host has a name for 4 (IP in IP).
    pub protocols: &'static [&'static str],
    /// Interfaces that pods' traffic comes in by, for zone `trusted`; a trailing `+` stands for any ending. They need
    /// not exist yet.
    pub interfaces: &'static [&'static str],
}

/// The kubelet, which the control plane calls for logs, exec and metrics.
const KUBELET: &str = "10250/tcp";

/// What other hosts reach on a control plane: the API server and the kubelet. With only one control plane nobody else
/// needs etcd (2379-2380), the controller manager (10257) or the scheduler (10259), so they stay closed.
#[must_use]
pub fn control_plane_ports(api_server: u16) -> Vec<String> {
    vec![format!("{api_server}/tcp"), KUBELET.to_owned()]
}

/// What other hosts reach on a worker: the kubelet. NodePorts are opened only when the inventory asks for them.
#[must_use]
pub fn worker_ports() -> Vec<String> {
    vec![KUBELET.to_owned()]
}

impl PodNetwork {
    /// What it needs of the firewall of every host.
    #[must_use]
    pub const fn openings(self) -> PodNetworkOpenings {
        let (ports, protocols, interfaces): (&[_], &[_], &[_]) = match self {
            Self::Flannel(FlannelBackend::Vxlan) => (&["8472/udp"], &[], &["cni0", "flannel.1"]),
            Self::Flannel(FlannelBackend::Udp) => (&["8285/udp"], &[], &["cni0", "flannel0"]),
            Self::Flannel(FlannelBackend::Wireguard) => (&["51820-51821/udp"], &[], &["cni0", "flannel-wg"]),
            Self::Flannel(FlannelBackend::HostGw) => (&[], &[], &["cni0"]),
            Self::Calico => (&["179/tcp", "4789/udp", "5473/tcp"], &["4"], &["cali+", "tunl0", "vxlan.calico"]),
            Self::Weave => (&["6783/tcp", "6783-6784/udp", "6781-6782/tcp"], &[], &["weave"]),
        };
        PodNetworkOpenings { ports, protocols, interfaces }
    }

    /// What a person who chose it should know beforehand.
    #[must_use]
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::Flannel(FlannelBackend::Udp) => Some("flannel's udp backend is slow and meant for debugging"),
            Self::Flannel(_) => None,
            Self::Calico => Some("calico's documentation advises against firewalld: both write the same kernel rules"),
            Self::Weave => Some("weave was archived by its makers in June 2024"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PodNetwork, control_plane_ports, worker_ports};
    use crate::cluster::FlannelBackend;

    #[test]
    fn each_role_opens_what_others_reach_and_no_more() {
        assert_eq!(control_plane_ports(6443), ["6443/tcp", "10250/tcp"]);
        assert_eq!(control_plane_ports(8443), ["8443/tcp", "10250/tcp"]);
        assert_eq!(worker_ports(), ["10250/tcp"]);
    }

    #[test]
    fn vxlan_needs_one_port_and_both_of_its_interfaces() {
        let openings = PodNetwork::Flannel(FlannelBackend::Vxlan).openings();
        assert_eq!(openings.ports, ["8472/udp"]);
        assert_eq!(openings.interfaces, ["cni0", "flannel.1"]);
        assert!(openings.protocols.is_empty());
    }
}
