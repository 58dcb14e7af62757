//! The kubeadm domain: configurations by API version, the join grant, the PKI, pod networks, ports, version skew.

mod join;

pub use join::{JoinGrant, JoinSpec};
