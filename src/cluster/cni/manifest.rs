use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv4Net};
use sha2::{Digest, Sha256};

use super::CniError;
use crate::cluster::pki::hex;

/// The annotation on a pod network's DaemonSet that holds [`Manifest::sha256`].
pub const MANIFEST_HASH_ANNOTATION: &str = "kfleet.dev/manifest-sha256";

/// A pod network, ready for `kubectl apply`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// All of its documents, the annotation included.
    pub yaml: String,
    /// Hex of the hash over the manifest without its annotation: while the DaemonSet carries it, there is nothing to
    /// apply.
    pub sha256: String,
    /// The namespace of its DaemonSet.
    pub namespace: &'static str,
    /// The name of its DaemonSet.
    pub daemon_set: &'static str,
}

/// The hash that [`MANIFEST_HASH_ANNOTATION`] carries, of a manifest without it.
pub(super) fn hash(yaml: &str) -> String {
    hex(&Sha256::digest(yaml))
}

/// `pod_subnet`, which must be of IPv4.
pub(super) const fn ipv4(plugin: &'static str, pod_subnet: IpNet) -> Result<Ipv4Net, CniError> {
    match pod_subnet {
        IpNet::V4(net) => Ok(net),
        IpNet::V6(_) => Err(CniError::NotIpv4 { plugin, pod_subnet }),
    }
}

/// The image of every part: the one asked for, else the default.
pub(super) fn images<const N: usize>(
    plugin: &'static str,
    defaults: [(&'static str, &'static str); N],
    asked: &BTreeMap<String, String>,
) -> Result<[String; N], CniError> {
    if let Some(part) = asked.keys().find(|part| !defaults.iter().any(|(known, _)| known == part)) {
        let known = defaults.map(|(part, _)| part).join(", ");
        return Err(CniError::UnknownPart { plugin, part: part.clone(), known });
    }
    Ok(defaults.map(|(part, default)| asked.get(part).cloned().unwrap_or_else(|| default.to_owned())))
}
