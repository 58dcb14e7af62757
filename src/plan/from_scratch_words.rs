use std::net::IpAddr;

use ipnet::IpNet;

use crate::doctor::{Finding, differences, preflight};
use crate::events::Severity;
use crate::facts::{Facts, File};
use crate::nodes::Names;
use crate::steps::Phase;

use super::from_scratch_view::View;
use super::one_control_plane::several;
use super::reinit_addresses::own_addresses;
use super::{Fleet, FromScratch};

/// flannel's own word on where pods get their addresses.
pub(super) const SUBNET: &str = "/run/flannel/subnet.env";
/// The kubelet's, of where pods ask for names.
pub(super) const KUBELET: &str = "/var/lib/kubelet/config.yaml";

/// What hosts say of a cluster whose control plane is silent.
pub(super) mod words {
    use super::{Facts, File, IpAddr, KUBELET, SUBNET};

    fn file<'a>(facts: &'a Facts, path: &str) -> Option<&'a str> {
        match facts.files.get(path) {
            Some(File::Present { contents, .. }) => Some(contents),
            _ => None,
        }
    }

    /// The pod network.
    pub(in super::super) fn pods(facts: &Facts) -> Option<String> {
        let network = |line: &str| line.strip_prefix("FLANNEL_NETWORK=").map(|text| text.trim().to_owned());
        file(facts, SUBNET)?.lines().find_map(network).filter(|text| !text.is_empty())
    }

    /// The Service of the cluster's DNS.
    pub(super) fn dns(facts: &Facts) -> Option<IpAddr> {
        let after = file(facts, KUBELET)?.split_once("clusterDNS:")?.1;
        after.lines().nth(1)?.trim().trim_start_matches("- ").trim_matches(['"', '\'']).parse().ok()
    }
}

/// What a cluster cannot have otherwise than it was made with, and the reader may have taken for changed.
const KEPT: &str = "write in [cluster] what the cluster has; if another is meant: `kfleet reset`, then `kfleet up`";
/// Checks of a living cluster that matter to one that is made anew, as errors and as warnings.
const ERRORS: [&str; 1] = ["living-cluster-cni"];
const WARNINGS: [&str; 3] = ["living-cluster-address", "living-cluster-endpoint", "living-cluster-version"];

impl FromScratch {
    /// What is to be known before, and what is in the way.
    pub(super) fn findings(&self, fleet: &Fleet) -> Vec<Finding> {
        let error = |reason: String| Finding::of_fleet(Severity::Error, "control-plane", reason);
        let Some(facts) = self.up.control_plane(fleet) else {
            return vec![Finding::of_missing_control_plane(self.inventory())];
        };
        let view = self.view(fleet);
        if !view.goes_on && !Self::is_any_node(fleet) {
            let reason = "there is no cluster on these hosts that could be made anew".to_owned();
            return vec![error(reason).with_hint("`kfleet up` makes one")];
        }
        if let Some(finding) = several(&self.inventory().control_plane().name, fleet) {
            return vec![finding];
        }
        let mut findings = self.disagreements(fleet, &view);
        findings.extend(self.losses(facts, fleet, &view));
        findings.extend(preflight(self.inventory(), &view.seen));
        findings
    }

    /// The inventory against the old cluster, whose networks go on.
    fn disagreements(&self, fleet: &Fleet, view: &View) -> Vec<Finding> {
        let cluster = &self.inventory().cluster;
        let mut findings = Vec::new();
        let mut differ = |check, what: &str, found: &str, wanted: String| {
            let reason = format!(
                "the cluster's {what} is {found}; the inventory has {wanted}, and it would be made anew with that"
            );
            findings.push(Finding::of_fleet(Severity::Error, check, reason).with_hint(KEPT));
        };
        if let Some(found) = view.begun.pods.as_deref().filter(|found| !is_network(found, cluster.pod_cidr)) {
            differ("pod-network", "pod network", found, cluster.pod_cidr.to_string());
        }
        if let Some(found) = view.begun.services.as_deref().filter(|found| !is_network(found, cluster.service_cidr)) {
            differ("service-network", "service network", found, cluster.service_cidr.to_string());
        } else if let Some(dns) = fleet.values().find_map(words::dns).filter(|dns| !cluster.service_cidr.contains(dns))
        {
            let found = format!("one with {dns}, where a kubelet has its DNS");
            differ("service-network", "service network", &found, cluster.service_cidr.to_string());
        }
        if let Some(found) = view.begun.dns_domain.as_deref().filter(|found| *found != cluster.dns_domain) {
            differ("dns-domain", "DNS domain", found, cluster.dns_domain.clone());
        }
        if let Some(found) = view.begun.port.filter(|found| *found != cluster.port) {
            differ("port", "API port", &found.to_string(), cluster.port.to_string());
        }
        let facts = self.up.control_plane(fleet).filter(|facts| view.phase(facts) < Phase::Reset);
        for difference in facts.map(|facts| differences(self.inventory(), facts)).unwrap_or_default() {
            let check = difference.check;
            let told = format!(
                "the old cluster's {} is {}; the new one has {}",
                difference.what, difference.found, difference.wanted
            );
            if ERRORS.contains(&check) {
                findings.push(Finding::from(difference));
            } else if WARNINGS.contains(&check) {
                findings.push(Finding::of_fleet(Severity::Warning, check, told));
            }
        }
        findings
    }

    /// The nodes of which no API server says what was on them.
    fn unread(&self, fleet: &Fleet, view: &View) -> Names {
        let joined = fleet.values().filter(|facts| facts.kubeadm.kubeconfigs.contains_key("kubelet"));
        let is_known = |name: &String| view.begun.nodes.as_ref().is_some_and(|nodes| nodes.contains_key(name));
        joined.map(Facts::node_name).filter(|name| !is_known(name)).collect()
    }

    /// What the old API server was told beside what kfleet tells it.
    fn unlike_before(&self, facts: &Facts, view: &View) -> Vec<Finding> {
        let name = &self.inventory().control_plane().name;
        let warning = |check, reason: String| Finding::of_host(name, Severity::Warning, check, reason);
        let mut findings = Vec::new();
        let flags: Vec<&str> = facts.kubeadm.api_server_extras.iter().map(String::as_str).collect();
        if !flags.is_empty() {
            let reason = format!("the new API server is not told {}", flags.join(", "));
            let hint = format!(
                "add them to its manifest again afterwards; the old one is put aside in {}",
                view.begun.backup()
            );
            findings.push(warning("api-server-flags", reason).with_hint(hint));
        }
        let names = self.extra_names(facts);
        if !names.is_empty() {
            let reason = format!("the new API server's certificate is not for {}", names.join(", "));
            findings.push(warning("api-server-names", reason).with_hint("add them to cert_sans in [cluster]"));
        }
        findings
    }

    /// Names in the old API server's certificate that the new one will not have, and that are not of an old address.
    fn extra_names<'a>(&self, facts: &'a Facts) -> Vec<&'a str> {
        let cluster = &self.inventory().cluster;
        let own = own_addresses(facts, None);
        let to = facts.announced(cluster.advertise_address, self.inventory().control_plane().ip());
        let known_addresses: Vec<IpAddr> =
            own.into_keys().chain(to).chain(cluster.service_cidr.hosts().next()).collect();
        let known: Vec<&str> = cluster.cert_sans.iter().map(String::as_str).chain(cluster.endpoint_host()).collect();
        let is_known = |name: &str| match name.parse::<IpAddr>() {
            Ok(address) => known_addresses.contains(&address) || known.iter().any(|known| known.parse() == Ok(address)),
            Err(_) => {
                let same = |known: &&str| known.eq_ignore_ascii_case(name);
                name.starts_with("kubernetes") || same(&facts.node_name().as_str()) || known.iter().any(same)
            }
        };
        facts.kubeadm.api_server_names.iter().map(String::as_str).filter(|name| !is_known(name)).collect()
    }

    /// What does not come through.
    fn losses(&self, facts: &Facts, fleet: &Fleet, view: &View) -> Vec<Finding> {
        let name = &self.inventory().control_plane().name;
        let warning = |check, reason: String| Finding::of_host(name, Severity::Warning, check, reason);
        let mut findings = Vec::new();
        if view.goes_on {
            let reason =
                format!("what was begun as {} is gone on with: hosts that are in the new cluster stay", view.begun.id);
            let hint = "to begin once more instead, remove /var/lib/kfleet/scratch/phase there";
            return vec![warning("goes-on", reason).with_hint(hint)];
        }
        findings.extend(self.unlike_before(facts, view));
        let unread = self.unread(fleet, view);
        if !unread.is_empty() {
            let reason = format!(
                "labels and taints of {} cannot be read from any API server: they are not put back",
                unread.fold()
            );
            let hint = "what /etc/default/kubelet or /etc/sysconfig/kubelet gives a kubelet stays; put the rest back by \
                        `kubectl label` and `kubectl taint`";
            findings.push(Finding::of_fleet(Severity::Warning, "labels", reason).with_hint(hint));
        } else if self.unsound(&facts.kubeadm).is_none() {
            let reason =
                "its API server answers and its CA is sound: every object of a cluster that may be in good health is \
                          lost"
                    .to_owned();
            findings.push(warning("alive", reason).with_hint("`kfleet reinit` without --from-scratch keeps them"));
        }
        if let Some(reason) = self.unsound(&facts.kubeadm) {
            let reason = format!("the CA is lost ({reason}): there will be a new one");
            let hint = "every kubeconfig and certificate of the old one is worth nothing then";
            findings.push(warning("ca", reason).with_hint(hint));
        }
        findings
    }
}

/// Of two stacks the inventory knows one only.
fn is_network(value: &str, wanted: IpNet) -> bool {
    value.trim().parse::<IpNet>().is_ok_and(|network| network.trunc() == wanted.trunc())
}
