use ipnet::IpNet;
use thiserror::Error;

/// Why a pod network cannot be installed as asked.
#[derive(Debug, Error)]
pub enum CniError {
    /// kfleet sets up IPv4 pod networks only.
    #[error("{plugin} over {pod_subnet}: kfleet sets up pod networks of IPv4 only, neither IPv6 nor dual stack")]
    NotIpv4 {
        /// The plugin.
        plugin: &'static str,
        /// The pod subnet asked for.
        pod_subnet: IpNet,
    },
    /// A backend that flannel has not, or that kfleet does not set up.
    #[error("flannel's backend {0:?} is not known to kfleet: use vxlan, host-gw, udp or wireguard")]
    UnknownBackend(String),
    /// An image for a part that the plugin has not.
    #[error("{plugin} has no part {part:?} to set an image for: it has {known}")]
    UnknownPart {
        /// The plugin.
        plugin: &'static str,
        /// The part named.
        part: String,
        /// The parts there are.
        known: String,
    },
    /// A manifest from outside that is not what it should be.
    #[error("the {plugin} manifest {reason}")]
    Unfit {
        /// The plugin.
        plugin: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A defect of kfleet's.
    #[error("a template of kfleet's does not fit its values: {0}")]
    Template(#[from] minijinja::Error),
}
