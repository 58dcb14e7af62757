use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::told;

use super::FactsError;
use super::frames::Frames;
use super::packages::version;
use super::probe;

/// Where kubeadm, kfleet and the networks' operators have their workloads.
const NAMESPACES: [&str; 4] = ["kube-system", "kube-flannel", "calico-system", "tigera-operator"];

/// What the API server says of its cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Why nothing could be asked; everything else is empty then.
    pub unreachable: Option<String>,
    /// Every Node.
    pub nodes: Vec<Node>,
    /// Every DaemonSet and Deployment of a namespace that kfleet or kubeadm uses.
    pub workloads: Vec<Workload>,
    /// net-conf.json of flannel's ConfigMap, whichever namespace has it.
    pub flannel_net_conf: Option<String>,
    /// ClusterConfiguration of the kubeadm-config ConfigMap, YAML.
    pub kubeadm_config: Option<String>,
}

/// A Node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether its Ready condition is True.
    pub ready: bool,
    /// Why it is not, in the words of the kubelet or of the node controller.
    pub reason: Option<String>,
    /// Its InternalIP.
    pub address: Option<String>,
    /// Where flannel on the other nodes sends what is for its pods; `None` too where somebody has set that on purpose.
    pub flannel_address: Option<String>,
    /// spec.podCIDR.
    pub pod_cidr: Option<String>,
    /// The kubelet's version.
    pub version: Option<Version>,
    /// Whether a control-plane or master label is on it.
    pub control_plane: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its taints.
    pub taints: Vec<Taint>,
}

/// What keeps pods off a Node.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Taint {
    /// As `node.kubernetes.io/unschedulable`.
    pub key: String,
    /// Mostly empty.
    #[serde(default)]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// A DaemonSet or a Deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// `DaemonSet` or `Deployment`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// How many pods it wants; never 0 before its controller has seen its current generation.
    pub desired: u32,
    /// How many of them are ready, and of its current generation.
    pub ready: u32,
    /// Its containers' images, init containers included.
    pub images: Vec<String>,
}

impl ClusterFacts {
    /// A script that asks the cluster and nothing else, to be run again and again on a control plane while the cluster
    /// becomes ready: for `/bin/sh` as root, with a deadline of 15 seconds.
    #[must_use]
    pub fn script(nonce: &str) -> String {
        probe::cluster_script(nonce)
    }

    /// Reads what [`script`](Self::script) printed to stdout.
    ///
    /// # Errors
    /// When the output is not that of the script with this `nonce`, or not all of it. A cluster that does not answer is
    /// no error but [`unreachable`](Self::unreachable).
    pub fn parse(output: &[u8], nonce: &str) -> Result<Self, FactsError> {
        let frames = Frames::split(output, nonce)?;
        Ok(Self::read(&frames).unwrap_or_else(|| Self::not_asked("there is no /etc/kubernetes/admin.conf")))
    }

    /// `None` where there is no admin.conf to ask with.
    pub(super) fn read(frames: &Frames<'_>) -> Option<Self> {
        match frames.one("cluster", "-")?.status {
            "absent" => None,
            "no-kubectl" => Some(Self::not_asked("there is no kubectl on the host")),
            _ => Some(Self::answers(frames).unwrap_or_else(|reason| Self::not_asked(&reason))),
        }
    }

    /// Where the cluster looks for a node: its InternalIP, and flannel's where flannel is its network.
    #[must_use]
    pub fn addresses_of(&self, node: &str) -> BTreeSet<IpAddr> {
        let has_flannel = self.workloads.iter().any(|workload| workload.name.starts_with("kube-flannel"));
        let addresses = |node: &'_ Node| {
            let of_flannel = node.flannel_address.clone().filter(|_| has_flannel);
            node.address.clone().into_iter().chain(of_flannel).filter_map(|address| address.parse().ok())
        };
        self.nodes.iter().filter(|known| known.name == node).flat_map(addresses).collect()
    }

    fn not_asked(reason: &str) -> Self {
        Self { unreachable: Some(reason.to_owned()), ..Self::default() }
    }

    /// All or nothing: a list that is missing must not look like one that is empty.
    fn answers(frames: &Frames<'_>) -> Result<Self, String> {
        let nodes = answer(frames, "nodes")?;
        let daemonsets = answer(frames, "daemonsets")?;
        let deployments = answer(frames, "deployments")?;
        let flannel = answer(frames, "flannel-config")?;
        let kubeadm = match answer(frames, "kubeadm-config") {
            Err(reason) if reason.contains("(NotFound)") => Value::Null,
            other => other?,
        };
        let workloads = items(&daemonsets).filter_map(|item| Workload::read("DaemonSet", item));
        let net_conf = items(&flannel).find_map(|map| text(map, "/data/net-conf.json"));
        Ok(Self {
            unreachable: None,
            nodes: items(&nodes).filter_map(Node::read).collect(),
            workloads: workloads
                .chain(items(&deployments).filter_map(|item| Workload::read("Deployment", item)))
                .collect(),
            flannel_net_conf: net_conf,
            kubeadm_config: text(&kubeadm, "/data/ClusterConfiguration"),
        })
    }
}

impl Node {
    fn read(node: &Value) -> Option<Self> {
        let condition = list(node, "/status/conditions").find(|condition| condition["type"] == "Ready");
        let ready = condition.is_some_and(|condition| condition["status"] == "True");
        let words = condition.and_then(|condition| text(condition, "/message").or_else(|| text(condition, "/reason")));
        let reason = words.map_or_else(|| "the kubelet has not reported yet".to_owned(), |words| told(&words));
        let labels = node.pointer("/metadata/labels");
        let labelled = |label: &str| labels.is_some_and(|labels| labels.get(label).is_some());
        Some(Self {
            name: text(node, "/metadata/name")?,
            ready,
            reason: (!ready).then_some(reason),
            address: list(node, "/status/addresses")
                .find(|address| address["type"] == "InternalIP")
                .and_then(|address| text(address, "/address")),
            flannel_address: text(node, "/metadata/annotations/flannel.alpha.coreos.com~1public-ip")
                .filter(|_| !overwritten(node)),
            pod_cidr: text(node, "/spec/podCIDR"),
            version: text(node, "/status/nodeInfo/kubeletVersion").and_then(|text| version(&text)),
            control_plane: labelled("node-role.kubernetes.io/control-plane")
                || labelled("node-role.kubernetes.io/master"),
            labels: strings(labels),
            taints: list(node, "/spec/taints").filter_map(|taint| serde_json::from_value(taint.clone()).ok()).collect(),
        })
    }
}

/// Whether a person has told flannel the node's address, as behind a NAT.
fn overwritten(node: &Value) -> bool {
    text(node, "/metadata/annotations/flannel.alpha.coreos.com~1public-ip-overwrite").is_some()
}

impl Workload {
    /// `None` of one outside of the namespaces that matter.
    fn read(kind: &str, item: &Value) -> Option<Self> {
        let namespace = text(item, "/metadata/namespace").filter(|name| NAMESPACES.contains(&name.as_str()))?;
        let (desired, ready) = if kind == "DaemonSet" { daemonset_pods(item) } else { deployment_pods(item) };
        // Numbers of a generation that is gone say nothing, and a new workload's zeros would pass for "all ready".
        let seen = number(item, "/status/observedGeneration") >= number(item, "/metadata/generation");
        let containers =
            list(item, "/spec/template/spec/initContainers").chain(list(item, "/spec/template/spec/containers"));
        Some(Self {
            kind: kind.to_owned(),
            namespace,
            name: text(item, "/metadata/name")?,
            annotations: strings(item.pointer("/metadata/annotations")),
            desired: if seen { desired } else { desired.max(1) },
            ready: if seen { ready } else { 0 },
            images: containers.filter_map(|container| text(container, "/image")).collect(),
        })
    }
}

/// Wanted and ready. With OnDelete the old generation's pods are meant to stay.
fn daemonset_pods(item: &Value) -> (u32, u32) {
    let ready = number(item, "/status/numberReady");
    let on_delete = item.pointer("/spec/updateStrategy/type").is_some_and(|kind| kind == "OnDelete");
    let updated = if on_delete { ready } else { number(item, "/status/updatedNumberScheduled") };
    (number(item, "/status/desiredNumberScheduled"), ready.min(updated))
}

fn deployment_pods(item: &Value) -> (u32, u32) {
    let ready = number(item, "/status/readyReplicas").min(number(item, "/status/updatedReplicas"));
    (number(item, "/spec/replicas"), ready)
}

/// What `kubectl get --raw` said, or why it could not.
fn answer(frames: &Frames<'_>, question: &str) -> Result<Value, String> {
    match frames.said(question) {
        Some(json) => serde_json::from_str(&json).map_err(|error| format!("{question}: not JSON: {error}")),
        None => Err(frames.complaint(question).unwrap_or_else(|| format!("{question}: no answer"))),
    }
}

/// An object's members that are strings.
fn strings(object: Option<&Value>) -> BTreeMap<String, String> {
    let members = object.and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// An empty list is null in what the API server sends.
fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    list(value, "/items")
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Zero is left out of what the API server sends.
fn number(value: &Value, pointer: &str) -> u32 {
    value.pointer(pointer).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ClusterFacts, Node, Workload};

    const NODES: &str = include_str!("../../tests/fixtures/kubectl-get-nodes.json");

    fn asked(answers: &[(&str, &str)]) -> ClusterFacts {
        let answers: String = answers.iter().map(|(header, body)| format!("\nn {header}\n{body}")).collect();
        ClusterFacts::parse(format!("\nn cluster - asked\n{answers}\nn probe - end\n").as_bytes(), "n").unwrap()
    }

    #[test]
    fn nodes_are_read_from_a_living_cluster() {
        let nodes: Value = serde_json::from_str(NODES).unwrap();
        let nodes: Vec<_> = super::items(&nodes).filter_map(Node::read).collect();
        insta::assert_debug_snapshot!(nodes);
    }

    #[test]
    fn a_node_that_is_not_ready_says_why() {
        let node =
            |conditions: Value| Node::read(&json!({"metadata": {"name": "h1"}, "status": {"conditions": conditions}}));
        let unknown =
            json!([{"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}]);
        for (conditions, reason) in [
            (unknown, "Kubelet stopped posting node status."),
            (json!([{"type": "Ready", "status": "False", "reason": "KubeletNotReady"}]), "KubeletNotReady"),
            (json!([{"type": "DiskPressure", "status": "False"}]), "the kubelet has not reported yet"),
            (json!(null), "the kubelet has not reported yet"),
        ] {
            let node = node(conditions).unwrap();
            assert_eq!((node.ready, node.reason.as_deref()), (false, Some(reason)));
        }
    }

    #[test]
    fn only_pods_of_the_current_generation_count() {
        let daemonset = |status: Value, strategy: &str| {
            let item = json!({
                "metadata": {"name": "kube-flannel-ds", "namespace": "kube-flannel", "generation": 2},
                "spec": {"updateStrategy": {"type": strategy}},
                "status": status,
            });
            let workload = Workload::read("DaemonSet", &item).unwrap();
            (workload.desired, workload.ready)
        };
        let status = |observed, ready, updated| json!({"observedGeneration": observed, "desiredNumberScheduled": 3, "numberReady": ready, "updatedNumberScheduled": updated});
        assert_eq!(daemonset(json!({}), "RollingUpdate"), (1, 0), "just created");
        assert_eq!(daemonset(status(1, 3, 3), "RollingUpdate"), (3, 0), "just changed");
        assert_eq!(daemonset(status(2, 3, 1), "RollingUpdate"), (3, 1), "on its way");
        assert_eq!(daemonset(status(2, 2, 3), "RollingUpdate"), (3, 2));
        assert_eq!(daemonset(status(2, 3, 0), "OnDelete"), (3, 3));
        assert_eq!(daemonset(json!({"observedGeneration": 2}), "RollingUpdate"), (0, 0), "for no node here");
    }

    #[test]
    fn what_users_run_is_none_of_kfleets_business() {
        let item = json!({"metadata": {"name": "web", "namespace": "default"}});
        assert_eq!(Workload::read("Deployment", &item), None);
    }

    #[test]
    fn a_cluster_that_is_half_known_is_not_known() {
        let empty = "{\"items\":null}";
        let whole = [
            ("said nodes 0", empty),
            ("said daemonsets 0", empty),
            ("said deployments 0", empty),
            ("said flannel-config 0", empty),
            ("said kubeadm-config 1", ""),
            ("erred kubeadm-config 1", "Error from server (NotFound): configmaps \"kubeadm-config\" not found\n"),
        ];
        assert_eq!(asked(&whole), ClusterFacts::default());
        for (answers, reason) in [
            (
                vec![
                    ("said nodes 1", ""),
                    (
                        "erred nodes 1",
                        "\nUnable to connect to the server: dial tcp 10.88.0.11:6443: connect: connection refused\n",
                    ),
                ],
                "Unable to connect to the server: dial tcp 10.88.0.11:6443: connect: connection refused",
            ),
            (vec![("said nodes 124", ""), ("erred nodes 124", "")], "no answer in time"),
            (vec![("said nodes 0", "{\"items\":[")], "nodes: not JSON: EOF while parsing a list at line 1 column 10"),
            (vec![("said nodes 0", empty)], "daemonsets: no answer"),
        ] {
            assert_eq!(asked(&answers), ClusterFacts::not_asked(reason));
        }
    }

    #[test]
    fn a_host_without_admin_conf_cannot_ask() {
        for (status, reason) in
            [("absent", "there is no /etc/kubernetes/admin.conf"), ("no-kubectl", "there is no kubectl on the host")]
        {
            let output = format!("\nn cluster - {status}\n\nn probe - end\n");
            assert_eq!(ClusterFacts::parse(output.as_bytes(), "n").unwrap(), ClusterFacts::not_asked(reason));
        }
    }
}
