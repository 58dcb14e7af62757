use crate::facts::{Facts, Wanted};

use super::{Record, Recorded};

/// A place that a node of a cluster comes to have.
pub(super) struct Place {
    /// `~/` is the home of who logs in.
    pub(super) path: &'static str,
    /// In which case it is taken away again.
    pub(super) goes: Goes,
}

/// When a place goes that was not there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goes {
    /// In any: what is in it is the cluster's, too.
    Whole,
    /// When nothing is in it any more.
    WhenEmpty,
    /// When it says what firewalld's package says.
    AsPackaged,
}

/// What kubelet, runtime, kubeadm, kubectl, pod networks and firewalld make where it is missing and nobody takes away again; what lies
/// in another comes before it.
pub(super) const PLACES: [Place; 28] = [
    whole("/var/log/pods"),
    whole("/var/log/containers"),
    whole("/var/lib/cni"),
    whole("/opt/cni/bin/flannel"),
    as_packaged("/etc/firewalld/zones/public.xml"),
    whole("/etc/firewalld/zones/public.xml.old"),
    as_packaged("/etc/firewalld/zones/trusted.xml"),
    whole("/etc/firewalld/zones/trusted.xml.old"),
    whole("~/.kube/cache"),
    when_empty("~/.kube"),
    whole("/root/.kube/cache"),
    when_empty("/root/.kube"),
    when_empty("/opt/cni/bin"),
    when_empty("/opt/cni"),
    when_empty("/etc/cni/net.d"),
    when_empty("/etc/cni"),
    when_empty("/etc/kubernetes/manifests"),
    when_empty("/etc/kubernetes/pki/etcd"),
    when_empty("/etc/kubernetes/pki"),
    when_empty("/etc/kubernetes"),
    when_empty("/var/lib/etcd"),
    when_empty("/var/lib/dockershim"),
    when_empty("/var/lib/kubelet"),
    when_empty("/usr/libexec/kubernetes/kubelet-plugins/volume/exec"),
    when_empty("/usr/libexec/kubernetes/kubelet-plugins/volume"),
    when_empty("/usr/libexec/kubernetes/kubelet-plugins"),
    when_empty("/usr/libexec/kubernetes"),
    when_empty("/usr/lib/modules"),
];

/// What pod networks leave, and what may be there of another before kfleet comes: then it stays.
const NETWORKS: [&str; 6] = [
    "/etc/cni/net.d/10-calico.conflist",
    "/etc/cni/net.d/10-flannel.conflist",
    "/etc/cni/net.d/10-weave.conflist",
    "/etc/cni/net.d/calico-kubeconfig",
    "/var/lib/calico",
    "/var/lib/weave",
];

/// The kind of their entries in the host's record.
pub(super) const RECORDED: &str = "place";
/// The kind of the entries of what was there before.
const KEPT: &str = "kept";

const fn whole(path: &'static str) -> Place {
    Place { path, goes: Goes::Whole }
}

const fn when_empty(path: &'static str) -> Place {
    Place { path, goes: Goes::WhenEmpty }
}

const fn as_packaged(path: &'static str) -> Place {
    Place { path, goes: Goes::AsPackaged }
}

impl Place {
    /// Where it is on this host; `None` where who logged in has no home.
    pub(super) fn on(&self, facts: &Facts) -> Option<String> {
        match self.path.strip_prefix("~/") {
            Some(_) if facts.login.home.is_empty() => None,
            Some(path) => Some(format!("{}/{path}", facts.login.home)),
            None => Some(self.path.to_owned()),
        }
    }
}

/// What must be read of a host for [`missing_places`].
#[must_use]
pub fn wanted_places() -> Wanted {
    let places = PLACES.iter().map(|place| place.path).chain(NETWORKS);
    Wanted { places: places.map(str::to_owned).collect(), ..Wanted::default() }
}

/// Paths of pod networks that were there before kfleet.
pub(super) fn kept_places(record: &Record) -> Vec<String> {
    record.entries().filter(|entry| entry.kind == KEPT).map(|entry| entry.item).collect()
}

/// For the record of a host that is not a node yet: the places that it does not have, and that a reset may take away again; and at
/// kfleet's first coming what it has of pod networks, which a reset leaves.
#[must_use]
pub fn missing_places(facts: &Facts) -> Vec<Recorded> {
    if !facts.kubeadm.kubeconfigs.is_empty() {
        return Vec::new();
    }
    let missing = PLACES.iter().filter(|place| facts.places.get(place.path) == Some(&false));
    let entry = |path| Recorded { kind: RECORDED.to_owned(), item: path, before: None };
    let missing = missing.filter_map(|place| place.on(facts)).map(entry);
    // Later, what is there may be what an earlier cluster of kfleet's has left.
    let first = Record::of(facts).is_ok_and(|record| record.entries().all(|entry| entry.kind != RECORDED));
    let kept = NETWORKS.iter().filter(|path| first && facts.places.get(**path) == Some(&true));
    let kept = kept.map(|path| Recorded { kind: KEPT.to_owned(), item: (*path).to_owned(), before: None });
    missing.chain(kept).collect()
}
