use std::fmt;

use semver::Version;

/// Who makes cgroups for pods; kubelet and container runtime must agree on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupDriver {
    /// By hand in /sys/fs/cgroup.
    Cgroupfs,
    /// By asking systemd.
    Systemd,
}

impl CgroupDriver {
    /// What a kubelet is set to where nothing says otherwise: kubeadm writes systemd from 1.22 on, and before it the
    /// kubelet's own cgroupfs stands.
    #[must_use]
    pub const fn default_of(kubeadm: &Version) -> Self {
        if kubeadm.minor < 22 { Self::Cgroupfs } else { Self::Systemd }
    }

    /// As kubelet, containerd and Docker write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cgroupfs => "cgroupfs",
            Self::Systemd => "systemd",
        }
    }
}

impl fmt::Display for CgroupDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The tag of the pause image that this kubeadm pulls, as `3.2`; `None` for one that is not known.
///
/// Only tags are compared: the registry was renamed in the middle of 1.22, 1.23 and 1.24, and mirrors have names of
/// their own.
#[must_use]
pub const fn pause_tag(kubeadm: &Version) -> Option<&'static str> {
    Some(match kubeadm.minor {
        15..=17 => "3.1",
        18..=20 => "3.2",
        21 => "3.4.1",
        22 => "3.5",
        23 => "3.6",
        24 => "3.7",
        25 => "3.8",
        26..=30 => "3.9",
        31..=33 => "3.10",
        34..=35 => "3.10.1",
        _ => return None,
    })
}

/// A container runtime that kubeadm works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerRuntime {
    /// containerd
    Containerd,
    /// Docker: through the kubelet's own dockershim up to 1.23, through cri-dockerd from 1.24 on.
    Docker,
    /// CRI-O
    Crio,
}

impl ContainerRuntime {
    /// Where its CRI socket is for this kubelet, as a path.
    #[must_use]
    pub const fn socket(self, kubelet: &Version) -> &'static str {
        match self {
            Self::Containerd => "/run/containerd/containerd.sock",
            Self::Docker if kubelet.minor < 24 => "/var/run/dockershim.sock",
            Self::Docker => "/run/cri-dockerd.sock",
            Self::Crio => "/var/run/crio/crio.sock",
        }
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::{CgroupDriver, ContainerRuntime, pause_tag};

    #[test]
    fn defaults_turn_where_kubernetes_turned_them() {
        let v = |minor| Version::new(1, minor, 0);
        assert_eq!(CgroupDriver::default_of(&v(21)), CgroupDriver::Cgroupfs);
        assert_eq!(CgroupDriver::default_of(&v(22)), CgroupDriver::Systemd);
        assert_eq!(ContainerRuntime::Docker.socket(&v(23)), "/var/run/dockershim.sock");
        assert_eq!(ContainerRuntime::Docker.socket(&v(24)), "/run/cri-dockerd.sock");
        assert_eq!((pause_tag(&v(20)), pause_tag(&v(99))), (Some("3.2"), None));
    }
}
