use semver::Version;
use thiserror::Error;

/// Two versions that do not go together, by the rules of Kubernetes' version skew policy and of kubeadm.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Skew {
    /// Another major version.
    #[error("{one} and {other} are of different major versions")]
    Major {
        /// The one.
        one: Version,
        /// The other.
        other: Version,
    },
    /// A kubelet asks for API that the API server has not.
    #[error("kubelet {kubelet} is newer than the API server {api_server}, which no kubelet may be")]
    KubeletNewer {
        /// The kubelet.
        kubelet: Version,
        /// The API server.
        api_server: Version,
    },
    /// A kubelet too old for the API server.
    #[error("kubelet {kubelet} is more than {most} minor versions older than the API server {api_server}")]
    KubeletOlder {
        /// The kubelet.
        kubelet: Version,
        /// The API server.
        api_server: Version,
        /// How many minors older it may be.
        most: u64,
    },
    /// kubeadm's own preflight refuses a kubelet that is newer than it or too old for it.
    #[error(
        "kubeadm {kubeadm} refuses kubelet {kubelet}: it wants one of its own minor version or at most {most} older"
    )]
    KubeletUnfit {
        /// The kubeadm.
        kubeadm: Version,
        /// The kubelet.
        kubelet: Version,
        /// How many minors older it may be.
        most: u64,
    },
    /// kubeadm makes and joins control planes of its own minor and of the one before.
    #[error(
        "kubeadm {kubeadm} does not go with a control plane {control_plane}: it wants its own minor version or the one before"
    )]
    Kubeadm {
        /// The kubeadm.
        kubeadm: Version,
        /// The control plane.
        control_plane: Version,
    },
}

/// Whether a kubelet may talk to an API server: never newer, at most 3 minors older, 2 for a kubelet before 1.25.
///
/// # Errors
/// When it may not.
pub fn check_kubelet(kubelet: &Version, api_server: &Version) -> Result<(), Skew> {
    same_major(kubelet, api_server)?;
    let most = if kubelet.minor < 25 { 2 } else { 3 };
    match api_server.minor.checked_sub(kubelet.minor) {
        Some(older) if older <= most => Ok(()),
        Some(_) => Err(Skew::KubeletOlder { kubelet: kubelet.clone(), api_server: api_server.clone(), most }),
        None => Err(Skew::KubeletNewer { kubelet: kubelet.clone(), api_server: api_server.clone() }),
    }
}

/// Whether kubeadm's preflight lets this kubelet pass: its own minor, or up to 3 older from kubeadm 1.29 on, 1 before.
///
/// # Errors
/// When it does not.
pub fn check_kubeadm_with_kubelet(kubeadm: &Version, kubelet: &Version) -> Result<(), Skew> {
    same_major(kubeadm, kubelet)?;
    let most = if kubeadm.minor < 29 { 1 } else { 3 };
    match kubeadm.minor.checked_sub(kubelet.minor) {
        Some(older) if older <= most => Ok(()),
        _ => Err(Skew::KubeletUnfit { kubeadm: kubeadm.clone(), kubelet: kubelet.clone(), most }),
    }
}

/// Whether kubeadm can make (`init`) or be joined to (`join`) a control plane: its own minor, or one older.
///
/// # Errors
/// When it cannot.
pub fn check_kubeadm(kubeadm: &Version, control_plane: &Version) -> Result<(), Skew> {
    same_major(kubeadm, control_plane)?;
    match kubeadm.minor.checked_sub(control_plane.minor) {
        Some(0 | 1) => Ok(()),
        _ => Err(Skew::Kubeadm { kubeadm: kubeadm.clone(), control_plane: control_plane.clone() }),
    }
}

fn same_major(one: &Version, other: &Version) -> Result<(), Skew> {
    if one.major == other.major { Ok(()) } else { Err(Skew::Major { one: one.clone(), other: other.clone() }) }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::{check_kubeadm, check_kubeadm_with_kubelet, check_kubelet};

    const fn v(minor: u64) -> Version {
        Version::new(1, minor, 2)
    }

    #[test]
    fn a_kubelet_may_be_older_but_never_newer() {
        for (kubelet, api_server, fits) in [
            (20, 20, true),
            (21, 20, false),
            (22, 24, true),
            (21, 24, false),
            (24, 26, true),
            (24, 27, false),
            (25, 28, true),
            (25, 29, false),
        ] {
            assert_eq!(check_kubelet(&v(kubelet), &v(api_server)).is_ok(), fits, "{kubelet} {api_server}");
        }
        assert!(check_kubelet(&Version::new(1, 20, 9), &Version::new(1, 20, 2)).is_ok());
        assert!(check_kubelet(&Version::new(2, 0, 0), &v(36)).is_err());
    }

    #[test]
    fn kubeadm_goes_with_its_own_minor_and_the_one_before() {
        for (kubeadm, control_plane, fits) in [(20, 20, true), (20, 19, true), (20, 18, false), (20, 21, false)] {
            assert_eq!(check_kubeadm(&v(kubeadm), &v(control_plane)).is_ok(), fits, "{kubeadm} {control_plane}");
        }
        for (kubeadm, kubelet, fits) in [
            (20, 20, true),
            (20, 19, true),
            (20, 18, false),
            (20, 21, false),
            (28, 26, false),
            (29, 26, true),
            (29, 25, false),
        ] {
            assert_eq!(check_kubeadm_with_kubelet(&v(kubeadm), &v(kubelet)).is_ok(), fits, "{kubeadm} {kubelet}");
        }
    }

    #[test]
    fn the_reason_is_for_a_person() {
        assert_eq!(
            check_kubelet(&v(21), &v(20)).unwrap_err().to_string(),
            "kubelet 1.21.2 is newer than the API server 1.20.2, which no kubelet may be"
        );
    }
}
