use std::collections::BTreeMap;

use super::fleet::{Fleet, is_member};
use crate::doctor::Finding;
use crate::doctor::enumeration::enumeration;
use crate::events::Severity::{Error, Warning};
use crate::facts::Facts;
use crate::inventory::{Host, Role};

/// What board makers leave in the place of a UUID; shared ones say nothing of a clone.
const NOT_UUIDS: [&str; 3] = [
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "03000200-0400-0500-0006-000700080009",
];

/// Each host is itself: its machine-id, its hostname, its product_uuid, and its name in the inventory.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, names) in shared(fleet, |facts| facts.machine_id.clone()) {
        let reason = format!("{} have the same machine-id {id}: one was cloned from another", enumeration(&names));
        findings.push(Finding::of_fleet(Error, "machine-id-twice", reason).with_hint(
            "on all but one of them: `rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup`, then \
             reboot",
        ));
    }
    for (uuid, names) in shared(fleet, product_uuid) {
        let reason = format!("{} have the same product_uuid {uuid}: one was cloned from another", enumeration(&names));
        findings.push(Finding::of_fleet(Error, "product-uuid-twice", reason).with_hint(
            "give each virtual machine a UUID of its own in the hypervisor (libvirt: <uuid> of the domain)",
        ));
    }
    for (name, names) in shared(fleet, |facts| Some(own_name(facts))) {
        let reason = format!("{} have the same hostname {name}: their nodes would be one", enumeration(&names));
        findings.push(Finding::of_fleet(Error, "hostname-twice", reason).with_hint(
            "`hostnamectl set-hostname NAME` on all but one of them, or inventory lines that name one host twice",
        ));
    }
    let nameless: Vec<_> = names(fleet, |facts| product_uuid(facts).is_none());
    if !nameless.is_empty() {
        let reason = format!("{} told no product_uuid, so a clone would not be noticed by it", enumeration(&nameless));
        findings.push(Finding::of_fleet(Warning, "product-uuid-missing", reason));
    }
    let name = |(host, facts): &(&Host, &Facts)| renamed(host, facts).or_else(|| hostname(host, facts));
    findings.extend(fleet.hosts.iter().filter_map(name));
    findings
}

/// The name that kubeadm gives the node by default.
fn own_name(facts: &Facts) -> String {
    facts.hostname.trim().to_lowercase()
}

fn product_uuid(facts: &Facts) -> Option<String> {
    let uuid = facts.product_uuid.as_ref()?.trim().to_lowercase();
    (!NOT_UUIDS.contains(&uuid.as_str())).then_some(uuid)
}

fn names<'a>(fleet: &Fleet<'a>, wanted: impl Fn(&Facts) -> bool) -> Vec<&'a str> {
    fleet.hosts.iter().filter(|(_, facts)| wanted(facts)).map(|(host, _)| host.name.as_str()).collect()
}

/// What more than one host has, with the names of those hosts. Nothing is what nobody shares.
fn shared<'a>(fleet: &Fleet<'a>, of: impl Fn(&Facts) -> Option<String>) -> BTreeMap<String, Vec<&'a str>> {
    let mut owners = BTreeMap::<String, Vec<&str>>::new();
    for (host, facts) in &fleet.hosts {
        if let Some(value) = of(facts).filter(|value| !value.is_empty()) {
            owners.entry(value).or_default().push(&host.name);
        }
    }
    owners.retain(|_, names| names.len() > 1);
    owners
}

/// A kubelet that starts under another name than its certificate's is refused by the API server.
fn renamed(host: &Host, facts: &Facts) -> Option<Finding> {
    if !is_member(facts) {
        return None;
    }
    let (own, node) = (own_name(facts), facts.node_name());
    let goes_by = facts.kubeadm.hostname_override.as_ref().unwrap_or(&own);
    if *goes_by == node {
        return None;
    }
    let reason = format!(
        "it is called {goes_by} now, and is node {node} of the cluster: to Kubernetes another name is another node, and its \
         kubelet is refused as soon as it starts anew"
    );
    let back = format!("`hostnamectl set-hostname {node}` there gives it its name back");
    let hint = match host.role {
        Role::ControlPlane => format!("{back}; a control plane cannot become another node in place"),
        Role::Worker => format!(
            "{back}; for it to be node {goes_by}: `kfleet remove {}`, then put it into the inventory again as {goes_by}, and \
             `kfleet up`",
            host.name
        ),
    };
    Some(Finding::of_host(&host.name, Error, "renamed", reason).with_hint(hint))
}

fn hostname(host: &Host, facts: &Facts) -> Option<Finding> {
    let node = if is_member(facts) { facts.node_name() } else { own_name(facts) };
    let hint = format!("`hostnamectl set-hostname {}` there", host.name);
    if !is_dns_subdomain(&node) || node == "localhost" {
        let reason = format!("its hostname {:?} cannot name a node", facts.hostname);
        return Some(Finding::of_host(&host.name, Error, "hostname-unfit", reason).with_hint(hint));
    }
    (node != host.name).then(|| {
        let (reason, hint) = if is_member(facts) {
            let reason = format!("it is node {node} of the cluster, and stays that: not {}", host.name);
            (reason, format!("name = \"{node}\" in the inventory"))
        } else {
            let reason = format!("its hostname is {node}, and so its node's name: not {}", host.name);
            (reason, format!("{hint}, before it joins, if the node is to be {}", host.name))
        };
        Finding::of_host(&host.name, Warning, "hostname-differs", reason).with_hint(hint)
    })
}

/// RFC 1123, as the API server holds Node names against it.
fn is_dns_subdomain(name: &str) -> bool {
    let alphanumeric = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let label = |label: &str| {
        let bytes = label.as_bytes();
        alphanumeric(bytes.first())
            && alphanumeric(bytes.last())
            && bytes.iter().all(|byte| *byte == b'-' || alphanumeric(Some(byte)))
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};

    const CASES: [Case; 13] = [
        ("a worker that was renamed", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h3").kubeadm.node = Some("h3".into());
            sample::of(hosts, "h3").hostname = "h9".into();
        }),
        ("a control plane that was renamed", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h1").kubeadm.node = Some("h1".into());
            sample::of(hosts, "h1").hostname = "h9".into();
        }),
        ("a worker that has another name in the inventory now", |inventory, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h3").kubeadm.node = Some("h3".into());
            let facts = hosts.remove("h3").unwrap();
            hosts.insert("new".into(), facts);
            inventory.hosts[2].name = "new".into();
        }),
        ("a kubelet that is told its name", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h3").kubeadm.node = Some("h3".into());
            sample::of(hosts, "h3").kubeadm.hostname_override = Some("h3".into());
            sample::of(hosts, "h3").hostname = "ip-10-88-0-13".into();
        }),
        ("machine-id shared by two", |_, hosts| sample::of(hosts, "h3").machine_id = Some(format!("{:032}", 2))),
        ("machine-id absent and empty", |_, hosts| {
            sample::of(hosts, "h1").machine_id = None;
            sample::of(hosts, "h2").machine_id = Some(String::new());
            sample::of(hosts, "h3").machine_id = Some(String::new());
        }),
        ("product_uuid shared by all, in whatever case", |_, hosts| {
            hosts
                .values_mut()
                .for_each(|facts| facts.product_uuid = Some("4C4C4544-0000-2010-8020-80C04F202020".into()));
            sample::of(hosts, "h1").product_uuid = Some("4c4c4544-0000-2010-8020-80c04f202020".into());
        }),
        ("product_uuid missing, or a placeholder", |_, hosts| {
            sample::of(hosts, "h1").product_uuid = None;
            sample::of(hosts, "h2").product_uuid = Some("03000200-0400-0500-0006-000700080009".into());
            sample::of(hosts, "h3").product_uuid = Some("03000200-0400-0500-0006-000700080009".into());
        }),
        ("hostname twice", |_, hosts| sample::of(hosts, "h3").hostname = "H2".into()),
        ("hostname in capitals", |_, hosts| sample::of(hosts, "h3").hostname = "H3".into()),
        ("hostname with a domain", |_, hosts| sample::of(hosts, "h3").hostname = "h3.Example.com".into()),
        ("hostname localhost", |_, hosts| sample::of(hosts, "h3").hostname = "localhost".into()),
        ("hostname no name", |_, hosts| {
            sample::of(hosts, "h2").hostname = "build_host".into();
            sample::of(hosts, "h3").hostname = String::new();
        }),
    ];

    #[test]
    fn each_host_is_itself() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
