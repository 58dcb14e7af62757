use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use semver::Version;
use serde::Deserialize;
use serde_json::json;

use super::config_api::cri_socket;
use super::{ConfigApi, ConfigError};
use crate::cluster::template::render;

/// The kinds that [`init_configuration`] writes; `JoinConfiguration` is none of init's.
const OWN_KINDS: [&str; 3] = ["InitConfiguration", "ClusterConfiguration", "JoinConfiguration"];

/// What `kubeadm init` is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitSpec {
    /// Of the control plane's kubeadm: decides the API version.
    pub kubeadm: Version,
    /// The version to run.
    pub kubernetes: Version,
    /// Names the cluster in the kubeconfig.
    pub cluster_name: String,
    /// The Node's name.
    pub node_name: String,
    /// The address that the API server announces.
    pub advertise_address: IpAddr,
    /// The API server's port.
    pub bind_port: u16,
    /// The runtime's socket, where it must be said; with or without `unix://`.
    pub cri_socket: Option<String>,
    /// The kubelet's `--node-ip`, where it must be said.
    pub node_ip: Option<IpAddr>,
    /// `host[:port]` that stands for the control plane, whatever its address.
    pub control_plane_endpoint: Option<String>,
    /// Where pods get their addresses. Never optional: without it no Node gets a pod CIDR, and the pod network dies.
    pub pod_subnet: IpNet,
    /// Where Services get theirs.
    pub service_subnet: IpNet,
    /// The cluster's own DNS domain.
    pub dns_domain: String,
    /// More names or addresses for the API server's certificate.
    pub cert_sans: Vec<String>,
    /// Where images come from, where not from kubeadm's own default.
    pub image_repository: Option<String>,
    /// How long the bootstrap token that init makes is good for; at least a second.
    pub token_ttl: Duration,
    /// The inventory's own YAML documents, such as a KubeletConfiguration, handed on as they are.
    pub documents: Vec<String>,
}

/// The file for `kubeadm init --config`. There is no secret in it: kubeadm makes the token.
///
/// # Errors
/// When kubeadm is too old, a subnet's size is not to its liking, the token would never expire, or an extra document is
/// unfit.
pub fn init_configuration(spec: &InitSpec) -> Result<String, ConfigError> {
    let api = ConfigApi::of(&spec.kubeadm)?;
    if spec.token_ttl.as_secs() == 0 {
        return Err(ConfigError::EternalToken);
    }
    check_subnets(spec)?;
    let mut configuration = render(
        include_str!("../../../templates/kubeadm-init.yaml.j2"),
        json!({
            "api_version": api.as_str(),
            "args_are_a_list": api.args_are_a_list(),
            "token_ttl": format!("{}s", spec.token_ttl.as_secs()),
            "advertise_address": spec.advertise_address,
            "bind_port": spec.bind_port,
            "node_name": spec.node_name,
            "cri_socket": spec.cri_socket.as_deref().map(|socket| cri_socket(&spec.kubeadm, socket)),
            "node_ip": spec.node_ip,
            "cluster_name": spec.cluster_name,
            "kubernetes_version": format!("v{}", spec.kubernetes),
            "control_plane_endpoint": spec.control_plane_endpoint,
            "image_repository": spec.image_repository,
            "pod_subnet": spec.pod_subnet,
            "service_subnet": spec.service_subnet,
            "dns_domain": spec.dns_domain,
            "cert_sans": spec.cert_sans,
        }),
    )?;
    for (index, document) in spec.documents.iter().enumerate() {
        check_document(index + 1, document)?;
        let document = document.trim();
        let document = document.strip_prefix("---").unwrap_or(document).trim_start_matches('\n');
        configuration.push_str("---\n");
        configuration.push_str(document);
        configuration.push('\n');
    }
    Ok(configuration)
}

/// kubeadm would say the same, but on the control plane and after the base of every host was laid.
fn check_subnets(spec: &InitSpec) -> Result<(), ConfigError> {
    let (pods, services) = (spec.pod_subnet, spec.service_subnet);
    if !(if pods.addr().is_ipv4() { 8..=24 } else { 48..=64 }).contains(&pods.prefix_len()) {
        return Err(ConfigError::PodSubnet(pods));
    }
    if !(if services.addr().is_ipv4() { 12..=28 } else { 108..=124 }).contains(&services.prefix_len()) {
        return Err(ConfigError::ServiceSubnet(services));
    }
    Ok(())
}

/// As with the subnets, the earlier it is said the better.
fn check_document(number: usize, document: &str) -> Result<(), ConfigError> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    let kinds: Vec<Kind> = serde_saphyr::from_multiple(document)
        .map_err(|error| ConfigError::Document { number, reason: error.to_string() })?;
    match kinds.into_iter().find(|found| OWN_KINDS.contains(&found.kind.as_str())) {
        Some(Kind { kind }) => Err(ConfigError::DocumentTwice { number, kind }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use semver::Version;
    use serde_json::{Value, json};

    use super::{InitSpec, init_configuration};
    use crate::cluster::ConfigError;

    fn spec(minor: u64) -> InitSpec {
        InitSpec {
            kubeadm: Version::new(1, minor, 2),
            kubernetes: Version::new(1, minor, 2),
            cluster_name: "lab".into(),
            node_name: "kubemaster-1".into(),
            advertise_address: "192.168.122.11".parse().unwrap(),
            bind_port: 6443,
            cri_socket: None,
            node_ip: None,
            control_plane_endpoint: None,
            pod_subnet: "10.244.0.0/16".parse().unwrap(),
            service_subnet: "10.96.0.0/12".parse().unwrap(),
            dns_domain: "cluster.local".into(),
            cert_sans: Vec::new(),
            image_repository: None,
            token_ttl: Duration::from_secs(1800),
            documents: Vec::new(),
        }
    }

    fn full(minor: u64) -> InitSpec {
        InitSpec {
            cri_socket: Some("/run/containerd/containerd.sock".into()),
            node_ip: Some("192.168.122.11".parse().unwrap()),
            control_plane_endpoint: Some("kube.example.internal:6443".into()),
            cert_sans: vec!["kube.example.internal".into(), "203.0.113.7".into()],
            image_repository: Some("registry.example.internal/k8s".into()),
            documents: vec![
                "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nenforceNodeAllocatable: []\n"
                    .into(),
                "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nconntrack:\n  maxPerCore: 0"
                    .into(),
            ],
            ..spec(minor)
        }
    }

    fn documents(yaml: &str) -> Vec<Value> {
        serde_saphyr::from_multiple(yaml).unwrap()
    }

    #[test]
    fn a_golden_for_every_api_version() {
        insta::assert_snapshot!("init_v1beta2_plain", init_configuration(&spec(20)).unwrap());
        for (minor, name) in [(20, "init_v1beta2_full"), (28, "init_v1beta3_full"), (33, "init_v1beta4_full")] {
            insta::assert_snapshot!(name, init_configuration(&full(minor)).unwrap());
        }
    }

    #[test]
    fn it_is_yaml_that_says_what_the_spec_says() {
        for minor in [15, 20, 22, 30, 31, 36] {
            let parsed = documents(&init_configuration(&full(minor)).unwrap());
            assert_eq!(parsed.len(), 4, "1.{minor}");
            assert_eq!(parsed[0]["bootstrapTokens"], json!([{ "ttl": "1800s" }]));
            assert_eq!(parsed[0]["localAPIEndpoint"]["bindPort"], json!(6443));
            assert_eq!(parsed[1]["networking"]["podSubnet"], json!("10.244.0.0/16"));
            assert_eq!(parsed[1]["apiServer"]["certSANs"], json!(["kube.example.internal", "203.0.113.7"]));
            assert_eq!(parsed[2]["enforceNodeAllocatable"], json!([]));
            assert_eq!(parsed[3]["kind"], json!("KubeProxyConfiguration"));
        }
    }

    #[test]
    fn a_hostile_name_stays_a_name() {
        let name = "x\"\n---\nkind: Evil\na: {b: '#' }";
        let parsed = documents(&init_configuration(&InitSpec { cluster_name: name.into(), ..spec(20) }).unwrap());
        assert_eq!(parsed.len(), 2);
        assert_eq!(parsed[1]["clusterName"], json!(name));
    }

    #[test]
    fn what_kubeadm_would_refuse_later_is_refused_now() {
        let with = |document: &str| init_configuration(&InitSpec { documents: vec![document.into()], ..spec(20) });
        assert!(matches!(
            with("kind: KubeletConfiguration\n---\nkind: ClusterConfiguration\n"),
            Err(ConfigError::DocumentTwice { number: 1, kind }) if kind == "ClusterConfiguration"
        ));
        assert!(matches!(with("a: [b"), Err(ConfigError::Document { number: 1, .. })));
        assert!(matches!(with("no: kind\n"), Err(ConfigError::Document { number: 1, .. })));
        let eternal = InitSpec { token_ttl: Duration::from_millis(900), ..spec(20) };
        assert!(matches!(init_configuration(&eternal), Err(ConfigError::EternalToken)));
        assert!(matches!(init_configuration(&spec(14)), Err(ConfigError::UnknownApi { .. })));
    }

    #[test]
    fn subnets_are_of_a_size_that_kubeadm_takes() {
        for (pods, services, fit) in [
            ("10.244.0.0/16", "10.96.0.0/12", true),
            ("10.244.0.0/24", "10.96.0.0/28", true),
            ("10.244.0.0/25", "10.96.0.0/12", false),
            ("10.244.0.0/7", "10.96.0.0/12", false),
            ("10.244.0.0/16", "10.96.0.0/11", false),
            ("10.244.0.0/16", "10.96.0.0/29", false),
            ("fd00::/56", "fd01::/112", true),
            ("fd00::/32", "fd01::/112", false),
            ("fd00::/56", "fd01::/64", false),
        ] {
            let spec =
                InitSpec { pod_subnet: pods.parse().unwrap(), service_subnet: services.parse().unwrap(), ..spec(20) };
            assert_eq!(init_configuration(&spec).is_ok(), fit, "{pods} {services}");
        }
    }
}
