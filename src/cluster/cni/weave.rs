use std::collections::BTreeMap;

use ipnet::IpNet;
use serde_json::json;

use super::CniError;
use super::manifest::{Manifest, hash, images, ipv4};
use crate::cluster::template::render;

/// Parts and their default images: the last ones, Weave was archived in June 2024.
const IMAGES: [(&str, &str); 2] =
    [("weave-kube", "docker.io/weaveworks/weave-kube:2.8.1"), ("weave-npc", "docker.io/weaveworks/weave-npc:2.8.1")];

/// What Weave Net is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeaveSpec {
    /// IPALLOC_RANGE: kubeadm's podSubnet, which kube-proxy takes for the pods' addresses.
    pub pod_subnet: IpNet,
    /// Images in place of the defaults, by part: `weave-kube`, `weave-npc`.
    pub images: BTreeMap<String, String>,
}

/// Weave Net 2.8, which upstream no longer keeps up.
///
/// # Errors
/// For a pod subnet of IPv6, or an image for a part that Weave has not.
pub fn weave_manifest(spec: &WeaveSpec) -> Result<Manifest, CniError> {
    let pod_subnet = ipv4("weave", spec.pod_subnet)?;
    let [weave_image, weave_npc_image] = images("weave", IMAGES, &spec.images)?;
    let yaml = |sha256: Option<&str>| {
        render(
            include_str!("../../../templates/weave.yaml.j2"),
            json!({
                "pod_subnet": pod_subnet,
                "weave_image": weave_image,
                "weave_npc_image": weave_npc_image,
                "sha256": sha256,
            }),
        )
    };
    let sha256 = hash(&yaml(None)?);
    Ok(Manifest { yaml: yaml(Some(&sha256))?, sha256, namespace: "kube-system", daemon_set: "weave-net" })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::{WeaveSpec, weave_manifest};
    use crate::cluster::{CniError, MANIFEST_HASH_ANNOTATION};

    fn spec() -> WeaveSpec {
        WeaveSpec { pod_subnet: "10.244.0.0/16".parse().unwrap(), images: BTreeMap::new() }
    }

    #[test]
    fn the_manifest_is_golden_and_hands_out_pod_addresses_of_the_pod_subnet() {
        let manifest = weave_manifest(&spec()).unwrap();
        insta::assert_snapshot!(manifest.yaml);
        let documents: Vec<Value> = serde_saphyr::from_multiple(&manifest.yaml).unwrap();
        let daemon_set = documents.iter().find(|document| document["kind"] == "DaemonSet").unwrap();
        assert_eq!(daemon_set["metadata"]["annotations"][MANIFEST_HASH_ANNOTATION], json!(manifest.sha256));
        assert_eq!(
            daemon_set["spec"]["template"]["spec"]["containers"][0]["env"][1],
            json!({ "name": "IPALLOC_RANGE", "value": "10.244.0.0/16" })
        );
    }

    #[test]
    fn ipv6_is_refused() {
        let ipv6 = WeaveSpec { pod_subnet: "fd00::/56".parse().unwrap(), ..spec() };
        assert!(matches!(weave_manifest(&ipv6), Err(CniError::NotIpv4 { plugin: "weave", .. })));
    }
}
