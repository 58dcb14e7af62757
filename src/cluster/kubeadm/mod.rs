//! kubeadm's configuration files.

mod certificates;
mod config_api;
mod config_error;
mod init;
mod join;

pub use certificates::{CertificatesSpec, certificates_configuration};
pub use config_api::ConfigApi;
pub use config_error::ConfigError;
pub use init::{InitSpec, init_configuration};
pub use join::{JoinSpec, join_configuration};
