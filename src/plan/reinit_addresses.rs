use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::facts::Facts;

/// Addresses, each with the places that speak for it.
pub(super) type Evidence = BTreeMap<IpAddr, BTreeSet<String>>;

/// The addresses that a control plane says are its own, in the places where nothing else can stand.
///
/// A kubeconfig's server may be what stands for the control plane, and then it `stays`.
pub(super) fn own_addresses(facts: &Facts, stays: Option<IpAddr>) -> Evidence {
    let mut evidence = Evidence::new();
    let mut note = |address: IpAddr, place: &str| {
        if !address.is_loopback() && !address.is_unspecified() && Some(address) != stays {
            evidence.entry(address).or_default().insert(place.to_owned());
        }
    };
    let advertised =
        facts.kubeadm.manifests.as_ref().and_then(|manifests| manifests.advertise_address.as_ref()?.parse().ok());
    if let Some(address) = advertised {
        note(address, "/etc/kubernetes/manifests/kube-apiserver.yaml");
    }
    for (name, kubeconfig) in facts.kubeadm.kubeconfigs.iter().filter(|(name, _)| *name != "bootstrap-kubelet") {
        if let Some(address) = kubeconfig.address() {
            note(address, &format!("/etc/kubernetes/{name}.conf"));
        }
    }
    let places = [
        "/etc/kubernetes/manifests/etcd.yaml",
        "certificate /etc/kubernetes/pki/etcd/server.crt",
        "certificate /etc/kubernetes/pki/etcd/peer.crt",
        "ConfigMap kube-public/cluster-info",
    ];
    if let Some(traces) = &facts.traces {
        for place in places {
            traces.at(place).for_each(|address| note(address, place));
        }
        traces.of_etcd().for_each(|address| note(address, "etcd's member"));
    }
    evidence
}

/// Whether this address stands where only a control plane's own can: in its API server's and etcd's manifests, or with etcd.
pub(super) fn is_of_its_own(facts: &Facts, address: IpAddr) -> bool {
    let conf = |place: &String| !place.starts_with("/etc/kubernetes/manifests/") && !place.contains("etcd");
    own_addresses(facts, None).get(&address).is_some_and(|places| !places.iter().all(conf))
}

#[cfg(test)]
mod tests {
    use super::own_addresses;
    use crate::facts::{ControlPlaneManifests, Facts, Kubeconfig, Trace, Traces};

    #[test]
    fn every_place_speaks_and_what_stays_does_not() {
        let trace = |place: &str, address: &str| Trace { place: place.to_owned(), address: address.parse().unwrap() };
        let mut facts = Facts::default();
        let manifests = ControlPlaneManifests {
            version: None,
            advertise_address: Some("10.88.0.11".to_owned()),
            port: None,
            service_cidr: None,
            pod_cidr: None,
        };
        facts.kubeadm.manifests = Some(manifests);
        let kubeconfig = Kubeconfig { server: "https://10.88.0.100:6443".to_owned(), ca_certificate: None };
        facts.kubeadm.kubeconfigs.insert("admin".to_owned(), kubeconfig);
        facts.traces = Some(Traces {
            found: vec![
                trace("/etc/kubernetes/manifests/kube-apiserver.yaml", "10.96.0.0"),
                trace("certificate /etc/kubernetes/pki/etcd/peer.crt", "127.0.0.1"),
                trace("certificate /etc/kubernetes/pki/etcd/peer.crt", "10.88.0.11"),
                trace("etcd's member", "10.88.0.12"),
            ],
            ..Traces::default()
        });
        let evidence = own_addresses(&facts, Some("10.88.0.100".parse().unwrap()));
        let told: Vec<String> =
            evidence.iter().map(|(address, places)| format!("{address} {}", places.len())).collect();
        assert_eq!(told, ["10.88.0.11 2", "10.88.0.12 1"]);
        assert!(own_addresses(&facts, None).contains_key(&"10.88.0.100".parse().unwrap()));
    }
}
