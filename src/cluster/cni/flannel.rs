use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde_json::json;

use super::CniError;
use super::manifest::{Manifest, hash, images, ipv4};
use crate::cluster::template::render;

/// Parts and their default images.
const IMAGES: [(&str, &str); 2] = [
    ("flannel", "ghcr.io/flannel-io/flannel:v0.28.9"),
    ("flannel-cni-plugin", "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3"),
];

/// How flannel carries packets from node to node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FlannelBackend {
    /// In the kernel, over UDP 8472.
    #[default]
    Vxlan,
    /// By routes, between nodes of one layer 2 network.
    HostGw,
    /// In user space, over UDP 8285: for debugging.
    Udp,
    /// Encrypted, over UDP 51820 and 51821.
    Wireguard,
}

impl FlannelBackend {
    /// As net-conf.json writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::HostGw => "host-gw",
            Self::Udp => "udp",
            Self::Wireguard => "wireguard",
        }
    }
}

impl fmt::Display for FlannelBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FlannelBackend {
    type Err = CniError;

    fn from_str(text: &str) -> Result<Self, CniError> {
        [Self::Vxlan, Self::HostGw, Self::Udp, Self::Wireguard]
            .into_iter()
            .find(|backend| backend.as_str() == text)
            .ok_or_else(|| CniError::UnknownBackend(text.to_owned()))
    }
}

/// What flannel is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlannelSpec {
    /// net-conf.json's `Network`: kubeadm's podSubnet, or flannel's leases and the nodes' pod CIDRs do not meet.
    pub pod_subnet: IpNet,
    /// How packets are carried.
    pub backend: FlannelBackend,
    /// `--iface`: an interface's name or address, where a host has more than one way out.
    pub interface: Option<String>,
    /// Images in place of the defaults, by part: `flannel`, `flannel-cni-plugin`.
    pub images: BTreeMap<String, String>,
}

/// Flannel, good for Kubernetes 1.20 and later.
///
/// # Errors
/// For a pod subnet of IPv6, or an image for a part that flannel has not.
pub fn flannel_manifest(spec: &FlannelSpec) -> Result<Manifest, CniError> {
    let pod_subnet = ipv4("flannel", spec.pod_subnet)?;
    let [flannel_image, cni_plugin_image] = images("flannel", IMAGES, &spec.images)?;
    let yaml = |sha256: Option<&str>| {
        render(
            include_str!("../../../templates/flannel.yaml.j2"),
            json!({
                "pod_subnet": pod_subnet,
                "backend": spec.backend.as_str(),
                "privileged": spec.backend == FlannelBackend::Udp,
                "interface_argument": spec.interface.as_ref().map(|interface| format!("--iface={interface}")),
                "flannel_image": flannel_image,
                "cni_plugin_image": cni_plugin_image,
                "sha256": sha256,
            }),
        )
    };
    let sha256 = hash(&yaml(None)?);
    Ok(Manifest { yaml: yaml(Some(&sha256))?, sha256, namespace: "kube-flannel", daemon_set: "kube-flannel-ds" })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::{FlannelBackend, FlannelSpec, flannel_manifest};
    use crate::cluster::{CniError, MANIFEST_HASH_ANNOTATION};

    fn spec() -> FlannelSpec {
        FlannelSpec {
            pod_subnet: "10.244.0.0/16".parse().unwrap(),
            backend: FlannelBackend::Vxlan,
            interface: None,
            images: BTreeMap::new(),
        }
    }

    fn documents(yaml: &str) -> Vec<Value> {
        serde_saphyr::from_multiple(yaml).unwrap()
    }

    #[test]
    fn the_plain_manifest_is_golden() {
        insta::assert_snapshot!(flannel_manifest(&spec()).unwrap().yaml);
    }

    #[test]
    fn what_the_spec_says_reaches_its_place() {
        let spec = FlannelSpec {
            backend: FlannelBackend::Udp,
            interface: Some("eth1".into()),
            images: BTreeMap::from([("flannel".into(), "registry.example.internal/flannel:v1".into())]),
            ..spec()
        };
        let manifest = flannel_manifest(&spec).unwrap();
        let documents = documents(&manifest.yaml);
        let kinds: Vec<_> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
        assert_eq!(
            kinds,
            ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet"]
        );
        let net_conf: Value = serde_json::from_str(documents[4]["data"]["net-conf.json"].as_str().unwrap()).unwrap();
        assert_eq!(net_conf, json!({ "Network": "10.244.0.0/16", "Backend": { "Type": "udp" } }));
        assert!(serde_json::from_str::<Value>(documents[4]["data"]["cni-conf.json"].as_str().unwrap()).is_ok());
        let daemon_set = &documents[5];
        assert_eq!(daemon_set["metadata"]["name"], json!(manifest.daemon_set));
        assert_eq!(daemon_set["metadata"]["namespace"], json!(manifest.namespace));
        assert_eq!(daemon_set["metadata"]["annotations"][MANIFEST_HASH_ANNOTATION], json!(manifest.sha256));
        let pod = &daemon_set["spec"]["template"]["spec"];
        let flannel = &pod["containers"][0];
        assert_eq!(flannel["args"], json!(["--ip-masq", "--kube-subnet-mgr", "--iface=eth1"]));
        assert_eq!(flannel["image"], json!("registry.example.internal/flannel:v1"));
        assert_eq!(flannel["securityContext"]["privileged"], json!(true));
        assert_eq!(pod["initContainers"][1]["image"], flannel["image"]);
        assert_eq!(pod["initContainers"][0]["image"], json!("ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3"));
    }

    #[test]
    fn the_hash_tells_one_manifest_from_another() {
        let one = flannel_manifest(&spec()).unwrap();
        assert_eq!(one, flannel_manifest(&spec()).unwrap());
        let other = FlannelSpec { interface: Some("eth1".into()), ..spec() };
        assert_ne!(one.sha256, flannel_manifest(&other).unwrap().sha256);
    }

    #[test]
    fn what_is_not_supported_is_refused_with_its_reason() {
        let ipv6 = FlannelSpec { pod_subnet: "fd00::/56".parse().unwrap(), ..spec() };
        assert!(matches!(flannel_manifest(&ipv6), Err(CniError::NotIpv4 { .. })));
        let part = FlannelSpec { images: BTreeMap::from([("flanel".into(), "x".into())]), ..spec() };
        assert_eq!(
            flannel_manifest(&part).unwrap_err().to_string(),
            "flannel has no part \"flanel\" to set an image for: it has flannel, flannel-cni-plugin"
        );
        assert_eq!("host-gw".parse::<FlannelBackend>().unwrap(), FlannelBackend::HostGw);
        assert!(matches!("ipsec".parse::<FlannelBackend>(), Err(CniError::UnknownBackend(_))));
    }
}
