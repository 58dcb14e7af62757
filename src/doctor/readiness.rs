use serde::Deserialize;

use super::enumeration::enumeration;
use super::finding::Finding;
use crate::events::Severity::{Error, Warning};
use crate::facts::{ClusterFacts, Workload};

/// Why a cluster that should be Ready is not: what waits, and on what. Empty where nothing waits.
///
/// A finding about a Node has the Node's name as its host.
#[must_use]
pub fn not_ready(cluster: &ClusterFacts) -> Vec<Finding> {
    if let Some(why) = &cluster.unreachable {
        let finding = Finding::of_fleet(Error, "api-unreachable", format!("the API server does not answer: {why}"));
        return vec![
            finding.with_hint("on the control plane: `crictl ps -a` and the logs of kube-apiserver and etcd there"),
        ];
    }
    let mut findings = nodes(cluster);
    let network = pod_network(cluster);
    findings.extend(proxy(cluster));
    let waits_for_network = network.iter().any(|finding| finding.severity == Error);
    findings.extend(network);
    findings.extend(dns(cluster, waits_for_network));
    findings
}

fn nodes(cluster: &ClusterFacts) -> Vec<Finding> {
    if cluster.nodes.is_empty() {
        let reason = "the API server knows no node: the control plane's own kubelet has not registered".to_owned();
        return vec![Finding::of_fleet(Error, "no-nodes", reason).with_hint("`journalctl -u kubelet` there says why")];
    }
    let waiting = cluster.nodes.iter().filter(|node| !node.ready);
    let finding = |node: &crate::facts::Node| {
        let said = node.reason.as_deref().filter(|reason| !reason.is_empty());
        let reason = format!("its node is not Ready: {}", said.unwrap_or("its kubelet has said nothing yet"));
        let hint = match said {
            Some(said) if said.contains("cni") || said.contains("network plugin") || said.contains("NetworkPlugin") => {
                "it waits for the pod network's configuration in /etc/cni/net.d"
            }
            Some(said) if said.contains("stopped posting") => {
                "its kubelet does not reach the API server: `systemctl status kubelet` there, and the port 6443 from \
                 there"
            }
            _ => "`journalctl -u kubelet` there says more",
        };
        Finding::of_host(&node.name, Error, "node-not-ready", reason).with_hint(hint)
    };
    waiting.map(finding).collect()
}

/// Flannel, whose contract is known; of another pod network only its count.
fn pod_network(cluster: &ClusterFacts) -> Vec<Finding> {
    let networks: Vec<&Workload> = daemon_sets(cluster, &["kube-flannel", "calico-node", "weave-net"]);
    if networks.is_empty() {
        let reason = "no pod network is installed: no pod but the host's own gets an address".to_owned();
        return vec![Finding::of_fleet(Error, "pod-network-missing", reason)];
    }
    // Old flannel has a DaemonSet for each architecture, most of them for no node.
    if networks.iter().all(|set| set.desired == 0) {
        let names: Vec<_> = networks.iter().map(|set| &set.name).collect();
        let reason = format!("no node is to have a pod of {}", enumeration(&names));
        let finding = Finding::of_fleet(Error, "pod-network-nowhere", reason);
        return vec![finding.with_hint("its nodeSelector or tolerations fit none of the nodes: `kubectl describe` it")];
    }
    let waiting: Vec<&&Workload> = networks.iter().filter(|set| set.ready < set.desired).collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let flannel = waiting.iter().any(|set| set.name.starts_with("kube-flannel"));
    let cause = if flannel { flannel_cause(cluster) } else { None };
    let mut findings: Vec<Finding> =
        waiting.iter().map(|set| short(set, Error, "pod-network-not-ready").with_hint(logs(set))).collect();
    findings.extend(cause);
    findings
}

/// Why flannel crash-loops, as far as its cluster shows it.
fn flannel_cause(cluster: &ClusterFacts) -> Option<Finding> {
    let without: Vec<_> = cluster.nodes.iter().filter(|node| node.pod_cidr.is_none()).map(|node| &node.name).collect();
    let pod_subnet = cluster.kubeadm_config.as_deref().map(pod_subnet);
    if !without.is_empty() {
        let reason = match pod_subnet {
            Some(None) => "the cluster was made without a podSubnet: no node gets a podCIDR, and flannel exits with \
                           `pod cidr not assigned`"
                .to_owned(),
            _ => format!("{} got no podCIDR: flannel exits there with `pod cidr not assigned`", enumeration(&without)),
        };
        let hint = "the controller manager needs --allocate-node-cidrs=true and --cluster-cidr: `kubeadm init phase \
                    control-plane \
                    controller-manager --config` with networking.podSubnet writes them";
        return Some(Finding::of_fleet(Error, "pod-cidr-missing", reason).with_hint(hint));
    }
    let network =
        cluster.flannel_net_conf.as_deref().and_then(|conf| serde_json::from_str::<NetConf>(conf).ok())?.network;
    let subnet = pod_subnet.flatten().filter(|subnet| *subnet != network)?;
    let reason = format!("flannel's net-conf.json has Network {network}, the cluster's podSubnet is {subnet}");
    Some(
        Finding::of_fleet(Error, "flannel-network", reason)
            .with_hint("make them equal in the ConfigMap kube-flannel-cfg"),
    )
}

#[derive(Deserialize)]
struct NetConf {
    #[serde(rename = "Network")]
    network: String,
}

fn pod_subnet(kubeadm_config: &str) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct ClusterConfiguration {
        networking: Networking,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Networking {
        pod_subnet: Option<String>,
    }
    serde_saphyr::from_str::<ClusterConfiguration>(kubeadm_config)
        .ok()?
        .networking
        .pod_subnet
        .filter(|net| !net.is_empty())
}

fn proxy(cluster: &ClusterFacts) -> Vec<Finding> {
    let waiting = daemon_sets(cluster, &["kube-proxy"]).into_iter().filter(|set| set.ready < set.desired);
    waiting.map(|set| short(set, Error, "kube-proxy-not-ready").with_hint(logs(set))).collect()
}

/// CoreDNS is the first that waits for a pod network, and then has no fault of its own.
fn dns(cluster: &ClusterFacts, waits_for_network: bool) -> Option<Finding> {
    let Some(dns) =
        cluster.workloads.iter().find(|workload| workload.kind == "Deployment" && workload.name == "coredns")
    else {
        return Some(Finding::of_fleet(
            Warning,
            "dns-missing",
            "there is no coredns: names of Services are not resolved",
        ));
    };
    if dns.desired == 0 {
        return Some(Finding::of_fleet(Warning, "dns-scaled-to-zero", "coredns is scaled to zero"));
    }
    if dns.ready >= dns.desired {
        return None;
    }
    Some(if waits_for_network {
        let finding = short(dns, Warning, "dns-not-ready");
        finding.with_hint("it waits for the pod network, and comes by itself once that runs")
    } else {
        short(dns, Error, "dns-not-ready").with_hint(logs(dns))
    })
}

fn daemon_sets<'a>(cluster: &'a ClusterFacts, starts: &[&str]) -> Vec<&'a Workload> {
    let named = |workload: &&Workload| starts.iter().any(|start| workload.name.starts_with(start));
    cluster.workloads.iter().filter(|workload| workload.kind == "DaemonSet").filter(named).collect()
}

fn short(workload: &Workload, severity: crate::events::Severity, check: &'static str) -> Finding {
    let Workload { namespace, name, desired, ready, .. } = workload;
    Finding::of_fleet(severity, check, format!("{namespace}/{name} has {ready} of {desired} pods ready"))
}

fn logs(workload: &Workload) -> String {
    let Workload { kind, namespace, name, .. } = workload;
    let kind = if kind == "DaemonSet" { "ds" } else { "deploy" };
    format!("`kubectl -n {namespace} logs {kind}/{name}` and `kubectl -n {namespace} get events` say why")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::not_ready;
    use crate::doctor::sample;
    use crate::facts::{ClusterFacts, Node, Workload};

    fn workload(kind: &str, name: &str, ready: u32, desired: u32) -> Workload {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        Workload { kind, namespace: "kube-system".into(), name, desired, ready, ..Workload::default() }
    }

    fn ready() -> ClusterFacts {
        let node = |n: u8| Node {
            name: format!("h{n}"),
            ready: true,
            pod_cidr: Some(format!("10.244.{n}.0/24")),
            ..Node::default()
        };
        ClusterFacts {
            nodes: (1..=3).map(node).collect(),
            workloads: vec![
                workload("DaemonSet", "kube-flannel-ds", 3, 3),
                workload("DaemonSet", "kube-flannel-ds-arm64", 0, 0),
                workload("DaemonSet", "kube-proxy", 3, 3),
                workload("Deployment", "coredns", 2, 2),
            ],
            flannel_net_conf: Some("{\"Network\": \"10.244.0.0/16\", \"Backend\": {\"Type\": \"vxlan\"}}".into()),
            kubeadm_config: Some("kind: ClusterConfiguration\nnetworking:\n  podSubnet: 10.244.0.0/16\n".into()),
            ..ClusterFacts::default()
        }
    }

    type Case = (&'static str, fn(&mut ClusterFacts));

    const CASES: [Case; 14] = [
        ("ready", |_| {}),
        ("the API server is away", |cluster| {
            *cluster = ClusterFacts {
                unreachable: Some("dial tcp 10.88.0.11:6443: connect: connection refused".into()),
                ..ClusterFacts::default()
            };
        }),
        ("no node", |cluster| cluster.nodes.clear()),
        ("a node whose kubelet stopped", |cluster| {
            cluster.nodes[1].ready = false;
            cluster.nodes[1].reason = Some("Kubelet stopped posting node status.".into());
        }),
        ("a node that says nothing", |cluster| {
            cluster.nodes[2].ready = false;
            cluster.nodes[2].reason = Some(String::new());
        }),
        ("no pod network yet", |cluster| {
            cluster.nodes[0].ready = false;
            let words = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                         message:Network plugin returns error: cni plugin not initialized";
            cluster.nodes[0].reason = Some(words.into());
            cluster.workloads.retain(|workload| !workload.name.starts_with("kube-flannel"));
            cluster.workloads[1].ready = 0;
        }),
        ("the notes' crash loop", |cluster| {
            cluster.nodes.iter_mut().for_each(|node| node.pod_cidr = None);
            cluster.kubeadm_config =
                Some("kind: ClusterConfiguration\nnetworking:\n  serviceSubnet: 10.96.0.0/12\n".into());
            cluster.workloads[0].ready = 0;
            cluster.workloads[3].ready = 0;
        }),
        ("one node without a podCIDR", |cluster| {
            cluster.nodes[2].pod_cidr = None;
            cluster.workloads[0].ready = 2;
        }),
        ("flannel of another network", |cluster| {
            cluster.kubeadm_config = Some("networking: {podSubnet: 10.42.0.0/16}".into());
            cluster.workloads[0].ready = 0;
        }),
        ("flannel on no node", |cluster| cluster.workloads[0] = workload("DaemonSet", "kube-flannel-ds", 0, 0)),
        ("kube-proxy not everywhere", |cluster| cluster.workloads[2].ready = 1),
        ("CoreDNS by itself", |cluster| cluster.workloads[3].ready = 1),
        ("CoreDNS scaled to zero", |cluster| cluster.workloads[3] = workload("Deployment", "coredns", 0, 0)),
        ("no CoreDNS", |cluster| drop(cluster.workloads.pop())),
    ];

    #[test]
    fn what_waits_is_told_with_what_it_waits_for() {
        let mut told = String::new();
        for (name, change) in CASES {
            let mut cluster = ready();
            change(&mut cluster);
            writeln!(told, "# {name}\n{}", sample::lines(&not_ready(&cluster))).unwrap();
        }
        insta::assert_snapshot!(told);
    }
}
