use serde_json::Value;

use super::problem::Complaint;
use super::section::suggestion;

/// What kfleet writes itself, from the inventory.
const OWN: [&str; 3] = ["InitConfiguration", "ClusterConfiguration", "JoinConfiguration"];
/// What else kubeadm reads out of `--config`; it passes over other kinds with no more than a warning.
const READ: [&str; 2] = ["KubeletConfiguration", "KubeProxyConfiguration"];

/// One or more YAML documents for `kubeadm init` beside kfleet's own.
pub(super) fn kubeadm_document(text: &str) -> Result<String, Complaint> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
        let error = error.to_string();
        let told = error.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Complaint::new(format!("not YAML: {told}")).hint("a kubeadm document is YAML with `apiVersion` and `kind`")
    })?;
    if documents.is_empty() {
        return Err(Complaint::new("an empty document"));
    }
    for document in &documents {
        let field = |name| document.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        let (Some(_), Some(kind)) = (field("apiVersion"), field("kind")) else {
            return Err(Complaint::new("a document without `apiVersion` or `kind`")
                .hint("such as `apiVersion: kubelet.config.k8s.io/v1beta1` and `kind: KubeletConfiguration`"));
        };
        if OWN.contains(&kind) {
            return Err(Complaint::new(format!("kfleet writes the {kind} itself"))
                .hint("`[cluster]` has keys for what goes into it; kubeadm refuses two of a kind"));
        }
        if !READ.contains(&kind) {
            return Err(Complaint::new(format!("kubeadm does not read a {kind}")).hint(suggestion(kind, &READ)));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::kubeadm_document;

    #[test]
    fn documents_that_kubeadm_would_not_use_are_refused() {
        let kubelet = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 50\n";
        let proxy = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
        for good in [kubelet, proxy, &format!("---\n{kubelet}---\n{proxy}")] {
            assert!(kubeadm_document(good).is_ok(), "{good}");
        }
        for (bad, message) in [
            ("", "an empty document"),
            ("- a\n", "a document without `apiVersion` or `kind`"),
            ("kind: KubeletConfiguration\n", "a document without `apiVersion` or `kind`"),
            ("apiVersion: v1\nkind: KubletConfiguration\n", "kubeadm does not read a KubletConfiguration"),
            (
                &format!("{kubelet}---\napiVersion: x\nkind: InitConfiguration\n"),
                "kfleet writes the InitConfiguration itself",
            ),
        ] {
            assert_eq!(kubeadm_document(bad).unwrap_err().message, message, "{bad}");
        }
        assert!(kubeadm_document("a: [").unwrap_err().message.starts_with("not YAML: "));
    }
}
