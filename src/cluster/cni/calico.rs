use std::sync::LazyLock;

use ipnet::IpNet;
use regex::{Captures, Regex};
use serde_json::Value;

use super::CniError;
use super::manifest::{MANIFEST_HASH_ANNOTATION, Manifest, hash, ipv4};

const NAMESPACE: &str = "kube-system";
const DAEMON_SET: &str = "calico-node";
const POOL: &str = "CALICO_IPV4POOL_CIDR";

/// The pool's entry, set or commented out as upstream ships it.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant and a test compiles it")]
static POOL_ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^([ ]*)(?:#[ ]?)?-[ ]+name:[ ]*CALICO_IPV4POOL_CIDR[ ]*\n[ ]*(?:#[ ]*)?value:[^\n]*$").unwrap()
});

#[expect(clippy::unwrap_used, reason = "the pattern is a constant and a test compiles it")]
static METADATA: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^metadata:[ ]*\n([ ]+)").unwrap());

/// Calico from its own manifest, calico.yaml, with its address pool set to the pod subnet; every other byte is kept.
///
/// Upstream's manifest is 13,000 lines, nearly all of them CustomResourceDefinitions of one release: it comes from the
/// inventory, and not from a template of kfleet's.
///
/// # Errors
/// For a pod subnet of IPv6, or a manifest that is not calico.yaml.
pub fn calico_manifest(upstream: &str, pod_subnet: IpNet) -> Result<Manifest, CniError> {
    let pod_subnet = ipv4("calico", pod_subnet)?.to_string();
    daemon_set(upstream)?;
    let entry = |captures: &Captures<'_>| {
        let indent = &captures[1];
        format!("{indent}- name: {POOL}\n{indent}  value: \"{pod_subnet}\"")
    };
    let yaml = POOL_ENTRY.replace_all(upstream, entry).into_owned();
    let sha256 = hash(&yaml);
    let yaml = annotated(&yaml, &sha256);

    // The text was patched by its looks; what counts is what a YAML reader makes of it.
    let patched = daemon_set(&yaml)?;
    if pools(&patched) != [pod_subnet.as_str()] {
        return Err(unfit(format!("has no single {POOL} in the env of its container calico-node")));
    }
    if patched["metadata"]["annotations"][MANIFEST_HASH_ANNOTATION] != sha256 {
        return Err(unfit("has a DaemonSet whose metadata cannot take an annotation".into()));
    }
    Ok(Manifest { yaml, sha256, namespace: NAMESPACE, daemon_set: DAEMON_SET })
}

const fn unfit(reason: String) -> CniError {
    CniError::Unfit { plugin: "calico", reason }
}

fn daemon_set(manifest: &str) -> Result<Value, CniError> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(manifest).map_err(|error| unfit(format!("is not YAML: {error}")))?;
    documents
        .into_iter()
        .find(|document| {
            document["kind"] == "DaemonSet"
                && document["metadata"]["name"] == DAEMON_SET
                && document["metadata"]["namespace"] == NAMESPACE
        })
        .ok_or_else(|| unfit(format!("has no DaemonSet {NAMESPACE}/{DAEMON_SET}")))
}

/// Every value of the pool in the container calico-node.
fn pools(daemon_set: &Value) -> Vec<&str> {
    items(&daemon_set["spec"]["template"]["spec"]["containers"])
        .filter(|container| container["name"] == DAEMON_SET)
        .flat_map(|container| items(&container["env"]))
        .filter(|variable| variable["name"] == POOL)
        .filter_map(|variable| variable["value"].as_str())
        .collect()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// `manifest` with the annotation in its DaemonSet's metadata.
fn annotated(manifest: &str, sha256: &str) -> String {
    let mut documents: Vec<String> = manifest.split("\n---").map(str::to_owned).collect();
    for document in documents.iter_mut().filter(|document| {
        document.lines().any(|line| line.trim_end() == "kind: DaemonSet") && document.contains(DAEMON_SET)
    }) {
        *document = METADATA
            .replace(document, |captures: &Captures<'_>| {
                let indent = &captures[1];
                format!("metadata:\n{indent}annotations:\n{indent}  {MANIFEST_HASH_ANNOTATION}: \"{sha256}\"\n{indent}")
            })
            .into_owned();
    }
    documents.join("\n---")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{calico_manifest, daemon_set};
    use crate::cluster::{CniError, MANIFEST_HASH_ANNOTATION};

    /// The shape of upstream's, as far as it matters; made by hand.
    fn upstream(pool: &str) -> String {
        format!(
            "---\nkind: ConfigMap\nmetadata:\n  name: calico-config\n---\nkind: DaemonSet\napiVersion: apps/v1\nmetadata:\n  \
             name: calico-node\n  namespace: kube-system\nspec:\n  template:\n    spec:\n      containers:\n        \
             - name: calico-node\n          env:\n            - name: IP\n              value: \"autodetect\"\n{pool}            \
             - name: FELIX_HEALTHENABLED\n              value: \"true\"\n"
        )
    }

    #[test]
    fn the_pool_becomes_the_pod_subnet_and_nothing_else_changes() {
        let commented = "            # - name: CALICO_IPV4POOL_CIDR\n            #   value: \"192.168.0.0/16\"\n";
        let set = "            - name: CALICO_IPV4POOL_CIDR\n              value: 192.168.0.0/16\n";
        for pool in [commented, set] {
            let manifest = calico_manifest(&upstream(pool), "10.244.0.0/16".parse().unwrap()).unwrap();
            let daemon_set = daemon_set(&manifest.yaml).unwrap();
            assert_eq!(daemon_set["metadata"]["annotations"], json!({ MANIFEST_HASH_ANNOTATION: manifest.sha256 }));
            assert_eq!(
                daemon_set["spec"]["template"]["spec"]["containers"][0]["env"],
                json!([
                    { "name": "IP", "value": "autodetect" },
                    { "name": "CALICO_IPV4POOL_CIDR", "value": "10.244.0.0/16" },
                    { "name": "FELIX_HEALTHENABLED", "value": "true" },
                ])
            );
            let kept = |line: &&str| !line.contains("kfleet.dev") && !line.contains("annotations:");
            assert_eq!(manifest.yaml.lines().filter(kept).count(), upstream(pool).lines().count());
        }
    }

    #[test]
    fn what_is_not_calico_is_refused() {
        let subnet = "10.244.0.0/16".parse().unwrap();
        for (manifest, reason) in [
            (
                upstream(""),
                "the calico manifest has no single CALICO_IPV4POOL_CIDR in the env of its container calico-node",
            ),
            ("kind: ConfigMap\n".into(), "the calico manifest has no DaemonSet kube-system/calico-node"),
        ] {
            assert_eq!(calico_manifest(&manifest, subnet).unwrap_err().to_string(), reason);
        }
        assert!(matches!(calico_manifest("a: [", subnet), Err(CniError::Unfit { .. })));
        assert!(matches!(calico_manifest(&upstream(""), "fd00::/56".parse().unwrap()), Err(CniError::NotIpv4 { .. })));
    }
}
