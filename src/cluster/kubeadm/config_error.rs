use ipnet::IpNet;
use semver::Version;
use thiserror::Error;

/// Why no configuration for kubeadm can be made.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No API version is known for it.
    #[error("no configuration for kubeadm {kubeadm} is known: kfleet speaks to 1.15 and later")]
    UnknownApi {
        /// The kubeadm asked for.
        kubeadm: Version,
    },
    /// To kubeadm a TTL of zero means for ever.
    #[error("a bootstrap token must expire: its ttl is under a second")]
    EternalToken,
    /// A join without one trusts whoever answers.
    #[error("the join grant pins no CA certificate")]
    Unpinned,
    /// An extra document that is not one.
    #[error("kubeadm document {number} is not YAML with a kind: {reason}")]
    Document {
        /// Counted from 1.
        number: usize,
        /// The parser's words.
        reason: String,
    },
    /// An extra document of a kind that kfleet writes; kubeadm refuses a kind twice.
    #[error("kubeadm document {number} is a {kind}, which kfleet writes itself: kubeadm takes only one")]
    DocumentTwice {
        /// Counted from 1.
        number: usize,
        /// Its kind.
        kind: String,
    },
    /// kubeadm gives every Node a /24 (of IPv6 a /64) of it, and at most 65,536 Nodes.
    #[error("pod subnet {0}: kubeadm takes a /8 to a /24 of IPv4, a /48 to a /64 of IPv6")]
    PodSubnet(IpNet),
    /// kubeadm wants 20 bits of addresses at most, and at least ten addresses.
    #[error("service subnet {0}: kubeadm takes a /12 to a /28 of IPv4, a /108 to a /124 of IPv6")]
    ServiceSubnet(IpNet),
    /// A defect of kfleet's.
    #[error("a template of kfleet's does not fit its values: {0}")]
    Template(#[from] minijinja::Error),
}
