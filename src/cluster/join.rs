use secrecy::SecretString;

/// What lets a worker join: from `kubeadm init`'s output or from `kubeadm token create --print-join-command`.
#[derive(Debug, Clone)]
pub struct JoinGrant {
    /// `host:port` of the API server.
    pub endpoint: String,
    /// The bootstrap token, `id.secret`.
    pub token: SecretString,
    /// Pins of the cluster's CA, as `sha256:…`.
    pub ca_cert_hashes: Vec<String>,
}

/// What one worker's JoinConfiguration holds beside the grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinSpec {
    /// Of the worker's kubeadm: decides the API version.
    pub kubeadm: semver::Version,
    /// The Node's name.
    pub node_name: String,
    /// The runtime's socket, where it must be said.
    pub cri_socket: Option<String>,
    /// The kubelet's `--node-ip`, where it must be said.
    pub node_ip: Option<std::net::IpAddr>,
}
