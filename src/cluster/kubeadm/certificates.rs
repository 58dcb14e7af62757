use std::net::IpAddr;

use semver::Version;
use serde_json::json;

use super::config_api::cri_socket;
use super::{ConfigApi, ConfigError};
use crate::cluster::template::render;

/// What `kubeadm init phase certs` is to sign anew, from what the living cluster has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatesSpec {
    /// Of the control plane's kubeadm: decides the API version.
    pub kubeadm: Version,
    /// The Node's name.
    pub node_name: String,
    /// The runtime's socket: it is in no certificate, and kubeadm before 1.29 looks for it all the same and wants to find one only.
    pub cri_socket: Option<String>,
    /// The address that the API server announces.
    pub advertise_address: IpAddr,
    /// The API server's port.
    pub bind_port: u16,
    /// The name that stands for the control plane, where there is one.
    pub control_plane_endpoint: Option<String>,
    /// Where Services get their addresses, as the API server was told.
    pub service_subnet: String,
    /// The cluster's own DNS domain.
    pub dns_domain: String,
    /// Where the CAs are and the certificates will be.
    pub directory: &'static str,
    /// All names that the API server's certificate is to have; kubeadm adds its own where they are missing.
    pub api_server_names: Vec<String>,
    /// Those of etcd's, as a server.
    pub etcd_server_names: Vec<String>,
    /// Those of etcd's, as a peer.
    pub etcd_peer_names: Vec<String>,
}

/// The file for `kubeadm init phase certs … --config`. Nothing but certificates must ever be made with it.
///
/// # Errors
/// When kubeadm is too old.
pub fn certificates_configuration(spec: &CertificatesSpec) -> Result<String, ConfigError> {
    let api = ConfigApi::of(&spec.kubeadm)?;
    Ok(render(
        include_str!("../../../templates/kubeadm-certificates.yaml.j2"),
        json!({
            "api_version": api.as_str(),
            // It is in no certificate; another than its own kubeadm might look up, or refuse.
            "kubernetes_version": format!("v{}", spec.kubeadm),
            "advertise_address": spec.advertise_address,
            "bind_port": spec.bind_port,
            "node_name": spec.node_name,
            "cri_socket": spec.cri_socket.as_deref().map(|socket| cri_socket(&spec.kubeadm, socket)),
            "control_plane_endpoint": spec.control_plane_endpoint,
            "service_subnet": spec.service_subnet,
            "dns_domain": spec.dns_domain,
            "directory": spec.directory,
            "api_server_names": spec.api_server_names,
            "etcd_server_names": spec.etcd_server_names,
            "etcd_peer_names": spec.etcd_peer_names,
        }),
    )?)
}

#[cfg(test)]
mod tests {
    use semver::Version;
    use serde_json::{Value, json};

    use super::{CertificatesSpec, certificates_configuration};

    #[test]
    fn it_is_yaml_that_says_what_the_spec_says() {
        for minor in [20, 28, 33] {
            let spec = CertificatesSpec {
                kubeadm: Version::new(1, minor, 2),
                node_name: "kubemaster-1".into(),
                cri_socket: Some("/run/containerd/containerd.sock".into()),
                advertise_address: "192.168.122.11".parse().unwrap(),
                bind_port: 6443,
                control_plane_endpoint: Some("api.example.internal:6443".into()),
                service_subnet: "10.96.0.0/12".into(),
                dns_domain: "cluster.local".into(),
                directory: "/somewhere/pki",
                api_server_names: vec!["kubemaster-1".into(), "203.0.113.7".into()],
                etcd_server_names: vec!["localhost".into()],
                etcd_peer_names: Vec::new(),
            };
            let parsed: Vec<Value> = serde_saphyr::from_multiple(&certificates_configuration(&spec).unwrap()).unwrap();
            assert_eq!(parsed[0]["localAPIEndpoint"]["advertiseAddress"], json!("192.168.122.11"));
            let socket = parsed[0]["nodeRegistration"]["criSocket"].as_str().unwrap();
            assert_eq!(socket.trim_start_matches("unix://"), "/run/containerd/containerd.sock");
            assert_eq!(parsed[1]["apiServer"]["certSANs"], json!(["kubemaster-1", "203.0.113.7"]));
            assert_eq!(parsed[1]["etcd"]["local"]["serverCertSANs"], json!(["localhost"]));
            assert_eq!(parsed[1]["certificatesDir"], json!("/somewhere/pki"));
        }
    }
}
