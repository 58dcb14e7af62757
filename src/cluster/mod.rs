//! The kubeadm domain: configurations by API version, the join grant, the PKI, pod networks, ports, version skew.

mod join_grant;
mod kubeadm;
mod pki;
mod template;

pub use join_grant::{GrantError, JoinGrant};
pub use kubeadm::{ConfigApi, ConfigError, InitSpec, JoinSpec, init_configuration, join_configuration};
pub use pki::{Authority, PkiError, pin};
