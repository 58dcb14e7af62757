use semver::{BuildMetadata, Prerelease, Version};
use serde_json::Value;

use super::Packages;
use super::frames::Frames;

/// Versions of what is installed.
pub(super) fn packages(frames: &Frames<'_>) -> Packages {
    let kubectl = frames.said("kubectl").and_then(|text| serde_json::from_str::<Value>(&text).ok());
    Packages {
        kubeadm: frames.said("kubeadm").and_then(|text| version(&text)),
        kubelet: frames.said("kubelet").and_then(|text| version(&text)),
        kubectl: kubectl.and_then(|json| version(json.pointer("/clientVersion/gitVersion")?.as_str()?)),
    }
}

/// The first version in a text, without what vendors hang on to it: `Kubernetes v1.28.5-aliyun.1` is 1.28.5, and
/// `v1.31.0-rc.1` stays what it is.
pub(super) fn version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let mut version = Version::parse(word.strip_prefix('v').unwrap_or(word)).ok()?;
        version.build = BuildMetadata::EMPTY;
        if !["alpha", "beta", "rc"].iter().any(|stage| version.pre.starts_with(stage)) {
            version.pre = Prerelease::EMPTY;
        }
        Some(version)
    })
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_vendor_suffix_is_no_part_of_a_version() {
        for (text, expected) in [
            ("v1.20.2\n", Some("1.20.2")),
            ("Kubernetes v1.20.2", Some("1.20.2")),
            ("v1.28.5-aliyun.1", Some("1.28.5")),
            ("v1.28.5+k3s1", Some("1.28.5")),
            ("v1.31.0-rc.1", Some("1.31.0-rc.1")),
            ("v1.22.0-alpha.0.12+abc", Some("1.22.0-alpha.0.12")),
            ("Kubernetes v1.20", None),
            ("", None),
        ] {
            assert_eq!(version(text).map(|v| v.to_string()).as_deref(), expected, "{text}");
        }
    }
}
