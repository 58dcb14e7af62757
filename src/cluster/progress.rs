use std::fmt;

/// Where a running kubeadm is, for the live line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Checking the host.
    Preflight,
    /// Pulling images, which can take minutes.
    Images,
    /// Making certificates.
    Certificates,
    /// Writing admin.conf and the like.
    Kubeconfigs,
    /// Writing the static pods of the API server, the controller manager, the scheduler and etcd.
    StaticPods,
    /// Configuring and starting the kubelet.
    Kubelet,
    /// Waiting for the kubelet to answer.
    KubeletHealth,
    /// Waiting for the static pods to answer.
    ControlPlaneHealth,
    /// Keeping the configuration in the cluster.
    UploadConfig,
    /// Labelling and tainting the control plane's Node.
    MarkControlPlane,
    /// Making the bootstrap token.
    BootstrapToken,
    /// Installing CoreDNS and kube-proxy.
    Addons,
    /// Reading the cluster's configuration: the API server was reached and trusted.
    ClusterConfig,
    /// Waiting for the kubelet's own certificate.
    TlsBootstrap,
    /// `init` is done.
    Initialized,
    /// `join` is done.
    Joined,
    /// `reset` is taking things down.
    Reset,
}

impl Phase {
    /// What a line of kubeadm's output tells; `None` for a line that tells nothing new.
    #[must_use]
    pub fn of(line: &str) -> Option<Self> {
        let line = line.trim_start();
        if line.starts_with("Your Kubernetes control-plane has initialized successfully") {
            return Some(Self::Initialized);
        }
        if line.starts_with("This node has joined the cluster") {
            return Some(Self::Joined);
        }
        let (tag, text) = line.strip_prefix('[')?.split_once("] ")?;
        Some(match tag {
            // Before 1.31 the same tag went before images, and join's hint on the configuration.
            "preflight" if text.starts_with("Pulling images") => Self::Images,
            "preflight" if text.starts_with("Reading configuration") => Self::ClusterConfig,
            "preflight" if text.starts_with("Running pre-flight checks") => Self::Preflight,
            "certs" => Self::Certificates,
            "kubeconfig" => Self::Kubeconfigs,
            "kubelet-start" if text.starts_with("Waiting for the kubelet to perform") => Self::TlsBootstrap,
            "kubelet-start" => Self::Kubelet,
            "control-plane" | "etcd" => Self::StaticPods,
            "kubelet-check" => Self::KubeletHealth,
            "wait-control-plane" | "control-plane-check" | "api-check" => Self::ControlPlaneHealth,
            "upload-config" | "upload-certs" | "kubelet" => Self::UploadConfig,
            "mark-control-plane" => Self::MarkControlPlane,
            "bootstrap-token" => Self::BootstrapToken,
            "addons" => Self::Addons,
            "reset" => Self::Reset,
            _ => return None,
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preflight => "preflight checks",
            Self::Images => "pulling images",
            Self::Certificates => "certificates",
            Self::Kubeconfigs => "kubeconfigs",
            Self::StaticPods => "static pods",
            Self::Kubelet => "starting the kubelet",
            Self::KubeletHealth => "waiting for the kubelet",
            Self::ControlPlaneHealth => "waiting for the control plane",
            Self::UploadConfig => "storing the configuration",
            Self::MarkControlPlane => "marking the control plane",
            Self::BootstrapToken => "bootstrap token",
            Self::Addons => "addons",
            Self::ClusterConfig => "reading the cluster's configuration",
            Self::TlsBootstrap => "waiting for the kubelet's certificate",
            Self::Initialized => "initialized",
            Self::Joined => "joined",
            Self::Reset => "resetting",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Phase;

    fn phases(output: &str) -> Vec<Phase> {
        let mut phases: Vec<Phase> = output.lines().filter_map(Phase::of).collect();
        phases.dedup();
        phases
    }

    #[test]
    fn init_is_told_phase_by_phase() {
        assert_eq!(
            phases(include_str!("../../tests/fixtures/kubeadm/init-success.txt")),
            [
                Phase::Preflight,
                Phase::Images,
                Phase::Certificates,
                Phase::Kubeconfigs,
                Phase::Kubelet,
                Phase::StaticPods,
                Phase::ControlPlaneHealth,
                Phase::UploadConfig,
                Phase::MarkControlPlane,
                Phase::BootstrapToken,
                Phase::Addons,
                Phase::Initialized,
            ]
        );
    }

    #[test]
    fn join_and_reset_are_told_too() {
        assert_eq!(
            phases(include_str!("../../tests/fixtures/kubeadm/join-success.txt")),
            [Phase::Preflight, Phase::ClusterConfig, Phase::Kubelet, Phase::TlsBootstrap, Phase::Joined]
        );
        assert_eq!(phases(include_str!("../../tests/fixtures/kubeadm/reset.txt")), [Phase::Preflight, Phase::Reset]);
    }

    #[test]
    fn newer_words_are_known_as_well() {
        for (line, phase) in [
            ("[kubelet-check] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz.", Phase::KubeletHealth),
            ("[control-plane-check] Checking kube-apiserver at https://10.0.0.1:6443/livez", Phase::ControlPlaneHealth),
            ("[api-check] Waiting for a healthy API server. This can take up to 4m0s", Phase::ControlPlaneHealth),
        ] {
            assert_eq!(Phase::of(line), Some(phase), "{line}");
        }
        assert_eq!(Phase::of("  mkdir -p $HOME/.kube"), None);
    }
}
