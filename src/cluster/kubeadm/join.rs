use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::config_api::cri_socket;
use super::{ConfigApi, ConfigError};
use crate::cluster::JoinGrant;
use crate::cluster::template::render;

/// What one worker's JoinConfiguration holds beside the grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinSpec {
    /// Of the worker's kubeadm: decides the API version.
    pub kubeadm: semver::Version,
    /// The Node's name.
    pub node_name: String,
    /// The runtime's socket, where it must be said; with or without `unix://`.
    pub cri_socket: Option<String>,
    /// The kubelet's `--node-ip`, where it must be said.
    pub node_ip: Option<std::net::IpAddr>,
}

/// The file for `kubeadm join --config`, with the token in it.
///
/// # Errors
/// When kubeadm is too old, or the grant pins no CA: such a join would trust whoever answers.
pub fn join_configuration(spec: &JoinSpec, grant: &JoinGrant) -> Result<SecretString, ConfigError> {
    let api = ConfigApi::of(&spec.kubeadm)?;
    if grant.ca_cert_hashes.is_empty() {
        return Err(ConfigError::Unpinned);
    }
    let configuration = render(
        include_str!("../../../templates/kubeadm-join.yaml.j2"),
        json!({
            "api_version": api.as_str(),
            "args_are_a_list": api.args_are_a_list(),
            "endpoint": grant.endpoint,
            "token": grant.token.expose_secret(),
            "ca_cert_hashes": grant.ca_cert_hashes,
            "node_name": spec.node_name,
            "cri_socket": spec.cri_socket.as_deref().map(|socket| cri_socket(&spec.kubeadm, socket)),
            "node_ip": spec.node_ip,
        }),
    )?;
    Ok(configuration.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use semver::Version;
    use serde_json::{Value, json};

    use super::{JoinSpec, join_configuration};
    use crate::cluster::{ConfigError, JoinGrant};

    fn grant() -> JoinGrant {
        JoinGrant {
            endpoint: "192.168.122.11:6443".into(),
            token: "fm9k1o.vhxmun0sriombljn".into(),
            ca_cert_hashes: vec![format!("sha256:{}", "c1be6b7b".repeat(8))],
        }
    }

    fn spec(minor: u64) -> JoinSpec {
        JoinSpec {
            kubeadm: Version::new(1, minor, 2),
            node_name: "kubenode-1".into(),
            cri_socket: Some("/run/containerd/containerd.sock".into()),
            node_ip: Some("192.168.122.21".parse().unwrap()),
        }
    }

    #[test]
    fn a_golden_for_every_api_version() {
        for (minor, name) in [(20, "join_v1beta2"), (28, "join_v1beta3"), (33, "join_v1beta4")] {
            let configuration = join_configuration(&spec(minor), &grant()).unwrap();
            insta::assert_snapshot!(name, configuration.expose_secret());
            let parsed: Value = serde_saphyr::from_str(configuration.expose_secret()).unwrap();
            assert_eq!(
                parsed["discovery"]["bootstrapToken"],
                json!({
                    "apiServerEndpoint": "192.168.122.11:6443",
                    "token": "fm9k1o.vhxmun0sriombljn",
                    "caCertHashes": grant().ca_cert_hashes,
                })
            );
        }
    }

    #[test]
    fn nobody_joins_unpinned() {
        let unpinned = JoinGrant { ca_cert_hashes: Vec::new(), ..grant() };
        assert!(matches!(join_configuration(&spec(20), &unpinned), Err(ConfigError::Unpinned)));
    }

    #[test]
    fn debug_never_shows_the_token() {
        let shown = format!("{:?} {:?}", grant(), join_configuration(&spec(20), &grant()).unwrap());
        assert!(!shown.contains("vhxmun0sriombljn"), "{shown}");
    }
}
