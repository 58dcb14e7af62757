use std::collections::BTreeSet;

use super::fleet::{Fleet, is_member};
use crate::doctor::Finding;
use crate::doctor::api_endpoint::{advertise_address, host_port};
use crate::doctor::runs_cluster;
use crate::events::Severity::Error;
use crate::facts::{Facts, KubeadmState};
use crate::inventory::{Host, Pki, Role};

const WAY_OUT: &str = "if nothing there is needed any more: `kubeadm reset` on that host, then run this again";

/// What kubeadm left behind on a host belongs to this cluster and to this host's role.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    let finding = |(host, facts): &(&Host, &Facts)| match host.role {
        Role::ControlPlane => control_plane(fleet, host, facts),
        Role::Worker => worker(fleet, host, facts),
    };
    fleet.hosts.iter().filter_map(finding).collect()
}

fn control_plane(fleet: &Fleet<'_>, host: &Host, facts: &Facts) -> Option<Finding> {
    let state = &facts.kubeadm;
    // An init of kfleet's that was cut is the control plane's step to take up again.
    if state.kubeconfigs.contains_key("admin") || facts.jobs.contains_key("init") {
        return None;
    }
    if state.manifests.is_none()
        && let Some(kubelet) = state.kubeconfigs.get("kubelet")
    {
        let reason = format!("it is to be the control plane, and has joined {} as a worker", kubelet.server);
        return Some(Finding::of_host(&host.name, Error, "role", reason).with_hint(WAY_OUT));
    }
    let etcd_data = state.etcd_data && !fleet.ignores("DirAvailable--var-lib-etcd");
    let left = match (state.manifests.is_some(), etcd_data) {
        (true, true) => "the static pods of a control plane and etcd's data",
        (true, false) => "the static pods of a control plane",
        (false, true) => "etcd's data",
        (false, false) => return None,
    };
    let reason = format!("{left} are left there without an admin.conf: `kubeadm init` would refuse");
    Some(Finding::of_host(&host.name, Error, "leftovers", reason).with_hint(WAY_OUT))
}

fn worker(fleet: &Fleet<'_>, host: &Host, facts: &Facts) -> Option<Finding> {
    let state = &facts.kubeadm;
    if state.manifests.is_some() {
        let server = state.kubeconfigs.get("admin").or_else(|| state.kubeconfigs.get("kubelet"));
        let of = server.map(|config| format!(" of {}", config.server)).unwrap_or_default();
        let reason = format!("it is to be a worker, and runs a control plane{of}");
        return Some(Finding::of_host(&host.name, Error, "role", reason).with_hint(WAY_OUT));
    }
    let own = fleet.control_plane().map(|facts| &facts.kubeadm);
    let own_authority = own.map(authorities).unwrap_or_default();
    let authority = authorities(state);
    let Some(kubelet) = state.kubeconfigs.get("kubelet").filter(|_| is_member(facts)) else {
        // A join that was cut left only this cluster's own CA.
        let foreign = !authority.is_empty() && !own_authority.is_empty() && authority.is_disjoint(&own_authority);
        return foreign.then(|| {
            let reason =
                "another cluster's CA is left in its /etc/kubernetes/pki: `kubeadm join` would refuse".to_owned();
            Finding::of_host(&host.name, Error, "leftovers", reason).with_hint(WAY_OUT)
        });
    };
    let foreign = |why: &str| {
        let reason = format!("it has joined {}, {why}", kubelet.server);
        Some(Finding::of_host(&host.name, Error, "foreign-cluster", reason).with_hint(WAY_OUT))
    };
    let bare = fleet.control_plane().is_some_and(|facts| !runs_cluster(facts) && !facts.jobs.contains_key("init"));
    if !authority.is_empty() && !own_authority.is_empty() && authority.is_disjoint(&own_authority) {
        return foreign("whose CA is not this cluster's");
    }
    if bare && own_authority.is_empty() && fleet.inventory.cluster.pki == Pki::Kubeadm {
        return foreign("and this control plane has no cluster yet");
    }
    let endpoints = endpoints(fleet, own);
    let server = host_port(&kubelet.server, fleet.inventory.cluster.port);
    if endpoints.is_empty() || endpoints.contains(&server) {
        return None;
    }
    if !authority.is_disjoint(&own_authority) {
        // Joining anew would be refused, and is not needed.
        let reason = format!("its kubelet still asks {}, where this cluster's API server is not", kubelet.server);
        let hint = "`kfleet reinit` lets it follow; `kfleet reinit --plan` shows how";
        return Some(Finding::of_host(&host.name, Error, "stale-endpoint", reason).with_hint(hint));
    }
    foreign("which is not this cluster's API server")
}

/// Where this cluster's API server is or is to be, the one that kubeconfigs name first; empty where only a resolver
/// knows.
fn endpoints(fleet: &Fleet<'_>, own: Option<&KubeadmState>) -> Vec<String> {
    let cluster = &fleet.inventory.cluster;
    let admin = own.and_then(|own| Some(own.kubeconfigs.get("admin")?.server.clone()));
    let manifests = own.and_then(|own| own.manifests.as_ref()?.advertise_address.clone());
    let address = advertise_address(fleet.inventory).map(|address| address.to_string());
    [admin, cluster.endpoint.clone(), manifests, address]
        .into_iter()
        .flatten()
        .map(|endpoint| host_port(&endpoint, cluster.port))
        .collect()
}

/// The CA certificates that a host trusts as its cluster's, each as the base64 of its PEM block.
fn authorities(state: &KubeadmState) -> BTreeSet<String> {
    let kubeconfigs =
        ["kubelet", "admin"].iter().filter_map(|name| state.kubeconfigs.get(*name)?.ca_certificate.as_ref());
    let pems = state.ca_certificate.iter().chain(kubeconfigs);
    pems.flat_map(|pem| pem.split("-----BEGIN CERTIFICATE-----").skip(1))
        .filter_map(|block| Some(block.split_once("-----END")?.0.split_whitespace().collect()))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};
    use crate::facts::{Job, KubeadmState};
    use crate::inventory::Pki;

    const CASES: [Case; 19] = [
        ("a worker of another CA", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").kubeadm = sample::worker_state("10.0.9.1:6443", "Zm9yZWlnbg==");
        }),
        ("a worker of another CA at the same address", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").kubeadm = sample::worker_state("10.88.0.11:6443", "Zm9yZWlnbg==");
        }),
        ("a worker that missed a change of address", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").kubeadm = sample::worker_state("192.168.101.81:6443", sample::CA);
        }),
        ("another CA beside this one's", |_, hosts| {
            *hosts = sample::joined();
            let both = format!("{}{}", sample::pem("Zm9yZWlnbg=="), sample::pem(sample::CA));
            sample::of(hosts, "h2").kubeadm.ca_certificate = Some(both);
        }),
        ("workers without a control plane", |_, hosts| {
            *hosts = sample::joined();
            hosts.insert("h1".into(), sample::host(1));
        }),
        ("workers without a control plane, whose CA is on the workstation", |inventory, hosts| {
            inventory.cluster.pki = Pki::Workstation;
            *hosts = sample::joined();
            hosts.insert("h1".into(), sample::host(1));
            sample::of(hosts, "h2").kubeadm = sample::worker_state("10.0.9.1:6443", sample::CA);
        }),
        ("a worker while init is under way", |_, hosts| {
            *hosts = sample::joined();
            hosts.insert("h1".into(), sample::host(1));
            sample::of(hosts, "h1").jobs.insert("init".into(), Job::Running);
        }),
        ("the control plane did not answer", |_, hosts| {
            *hosts = sample::joined();
            hosts.remove("h1");
            sample::of(hosts, "h2").kubeadm = sample::worker_state("10.0.9.1:6443", sample::CA);
        }),
        ("an endpoint with a name", |inventory, hosts| {
            *hosts = sample::joined();
            inventory.cluster.endpoint = Some("API.example.com".into());
            for facts in hosts.values_mut() {
                facts
                    .kubeadm
                    .kubeconfigs
                    .values_mut()
                    .for_each(|config| config.server = "https://api.example.com:6443".into());
            }
        }),
        ("a join that was cut", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").kubeadm =
                KubeadmState { ca_certificate: Some(sample::pem(sample::CA)), ..KubeadmState::default() };
        }),
        ("a join to another cluster that was cut", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").kubeadm =
                KubeadmState { ca_certificate: Some(sample::pem("Zm9yZWlnbg==")), ..KubeadmState::default() };
        }),
        ("a worker that is a control plane", |_, hosts| {
            *hosts = sample::joined();
            let state = sample::of(hosts, "h1").kubeadm.clone();
            sample::of(hosts, "h2").kubeadm = state;
        }),
        ("a control plane that is a worker", |_, hosts| {
            sample::of(hosts, "h1").kubeadm = sample::worker_state("10.0.9.1:6443", "Zm9yZWlnbg==");
        }),
        ("manifests without an admin.conf", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h1").kubeadm.kubeconfigs.clear();
            sample::of(hosts, "h1").kubeadm.etcd_data = false;
            hosts.retain(|name, _| name == "h1");
        }),
        ("manifests and etcd without an admin.conf", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h1").kubeadm.kubeconfigs.clear();
            hosts.retain(|name, _| name == "h1");
        }),
        ("etcd's data alone", |_, hosts| sample::of(hosts, "h1").kubeadm.etcd_data = true),
        ("etcd's data alone, ignored", |inventory, hosts| {
            sample::of(hosts, "h1").kubeadm.etcd_data = true;
            inventory.cluster.ignore_preflight_errors.push("DirAvailable--var-lib-etcd".into());
        }),
        ("an init of kfleet's that was cut", |_, hosts| {
            sample::of(hosts, "h1").kubeadm.etcd_data = true;
            sample::of(hosts, "h1").jobs.insert("init".into(), Job::Lost);
        }),
        ("a CA that was there before init", |_, hosts| {
            sample::of(hosts, "h1").kubeadm.ca_certificate = Some(sample::pem(sample::CA));
            sample::of(hosts, "h1").kubeadm.ca_key = true;
        }),
    ];

    #[test]
    fn what_kubeadm_left_is_this_clusters() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
