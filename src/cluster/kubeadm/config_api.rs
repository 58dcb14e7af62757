use semver::Version;

use super::ConfigError;

/// The version of kubeadm's configuration API that a kubeadm speaks best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigApi {
    /// 1.15 to 1.21
    V1beta2,
    /// 1.22 to 1.30
    V1beta3,
    /// 1.31 and later: extra arguments are a list of names and values.
    V1beta4,
}

impl ConfigApi {
    /// What this kubeadm speaks.
    ///
    /// # Errors
    /// For a kubeadm before 1.15, or of another major version.
    pub fn of(kubeadm: &Version) -> Result<Self, ConfigError> {
        match (kubeadm.major, kubeadm.minor) {
            (1, 15..=21) => Ok(Self::V1beta2),
            (1, 22..=30) => Ok(Self::V1beta3),
            (1, 31..) => Ok(Self::V1beta4),
            _ => Err(ConfigError::UnknownApi { kubeadm: kubeadm.clone() }),
        }
    }

    /// As a document's `apiVersion`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1beta2 => "kubeadm.k8s.io/v1beta2",
            Self::V1beta3 => "kubeadm.k8s.io/v1beta3",
            Self::V1beta4 => "kubeadm.k8s.io/v1beta4",
        }
    }

    /// Whether extra arguments are a list of names and values, and not a map.
    pub(super) const fn args_are_a_list(self) -> bool {
        matches!(self, Self::V1beta4)
    }
}

/// `socket` as this kubeadm wants it: a plain path up to 1.23, a URL from 1.24 on, which warns of a plain path.
pub(super) fn cri_socket(kubeadm: &Version, socket: &str) -> String {
    let path = socket.strip_prefix("unix://").unwrap_or(socket);
    if kubeadm.minor < 24 { path.to_owned() } else { format!("unix://{path}") }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::{ConfigApi, cri_socket};

    #[test]
    fn every_kubeadm_is_spoken_to_in_its_own_version() {
        for (minor, api) in [
            (15, Some(ConfigApi::V1beta2)),
            (21, Some(ConfigApi::V1beta2)),
            (22, Some(ConfigApi::V1beta3)),
            (30, Some(ConfigApi::V1beta3)),
            (31, Some(ConfigApi::V1beta4)),
            (36, Some(ConfigApi::V1beta4)),
            (14, None),
        ] {
            assert_eq!(ConfigApi::of(&Version::new(1, minor, 0)).ok(), api, "1.{minor}");
        }
    }

    #[test]
    fn the_socket_is_a_path_for_old_kubeadms_and_a_url_for_new_ones() {
        for given in ["/run/containerd/containerd.sock", "unix:///run/containerd/containerd.sock"] {
            assert_eq!(cri_socket(&Version::new(1, 23, 17), given), "/run/containerd/containerd.sock");
            assert_eq!(cri_socket(&Version::new(1, 24, 0), given), "unix:///run/containerd/containerd.sock");
        }
    }
}
