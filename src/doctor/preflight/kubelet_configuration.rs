use serde::Deserialize;

/// What the inventory's own KubeletConfiguration says, as far as preflight asks.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct KubeletConfiguration {
    kind: String,
    pub(super) fail_swap_on: Option<bool>,
    pub(super) cgroup_driver: Option<String>,
}

impl KubeletConfiguration {
    /// The one among these YAML documents. None, or one that cannot be read, says nothing: init refuses it by itself.
    pub(super) fn among(documents: &[String]) -> Self {
        documents
            .iter()
            .filter_map(|document| serde_saphyr::from_multiple::<Self>(document).ok())
            .flatten()
            .find(|document| document.kind == "KubeletConfiguration")
            .unwrap_or_default()
    }
}
