use std::net::IpAddr;
use std::time::Duration;

use semver::Version;

use crate::base::{quote, told};
use crate::cluster::{Authority, InitSpec, init_configuration};
use crate::facts::{Facts, Job, Wanted};
use crate::inventory::{Host, Inventory, KubernetesVersion};

use super::{Action, Change, Contents, Detached, RunScript, Step, Yields, node};

/// The control plane runs on this host: made by `kubeadm init`, detached from the connection.
pub struct ControlPlane<'a> {
    inventory: &'a Inventory,
    host: &'a Host,
    authority: Option<&'a Authority>,
    /// Where the PKI lies that is taken over.
    kept: Option<&'a str>,
}

/// Takes over a PKI that was put aside, before kubeadm makes what is missing of it.
const KEPT_PKI: &str = include_str!("../../templates/scratch/kept-pki.sh");
/// The job's name.
const JOB: &str = "init";
/// kubeadm itself waits 4 minutes for the static pods, after it has pulled their images.
const DEADLINE: Duration = Duration::from_secs(20 * 60);
/// How long the token of `init` is good, should it never be revoked.
const TOKEN_TTL: Duration = Duration::from_secs(30 * 60);

impl<'a> ControlPlane<'a> {
    /// As the inventory wants it, under this CA where the workstation makes it.
    #[must_use]
    pub fn new(inventory: &'a Inventory, authority: Option<&'a Authority>) -> Self {
        Self { inventory, host: inventory.control_plane(), authority, kept: None }
    }

    /// Under the CA of this directory of the host's, as kubeadm had it in /etc/kubernetes/pki, in place of any other.
    #[must_use]
    pub fn under(self, kept: Option<&'a str>) -> Self {
        Self { authority: self.authority.filter(|_| kept.is_none()), kept, ..self }
    }

    /// The configuration for this host's kubeadm.
    fn configuration(&self, facts: &Facts) -> Result<String, String> {
        let cluster = &self.inventory.cluster;
        let kubeadm = facts.packages.kubeadm.clone().ok_or("kubeadm is not installed")?;
        let advertise_address = advertise_address(self.inventory, facts).ok_or("no address to advertise is known")?;
        let spec = InitSpec {
            kubernetes: version(&cluster.kubernetes, &kubeadm),
            kubeadm,
            cluster_name: cluster.name.clone(),
            node_name: facts.node_name(),
            advertise_address,
            bind_port: cluster.port,
            cri_socket: node::cri_socket(self.inventory, self.host, facts),
            node_ip: self.host.node_ip,
            control_plane_endpoint: cluster.endpoint.clone(),
            pod_subnet: cluster.pod_cidr,
            service_subnet: cluster.service_cidr,
            dns_domain: cluster.dns_domain.clone(),
            cert_sans: cluster.cert_sans.clone(),
            image_repository: cluster.image_repository.clone(),
            token_ttl: TOKEN_TTL,
            documents: cluster.kubeadm_documents.clone(),
        };
        init_configuration(&spec).map_err(|error| error.to_string())
    }

    fn init(&self, facts: &Facts) -> Result<Action, String> {
        let mut files = vec![("config.yaml", Contents::Text(self.configuration(facts)?))];
        if let Some(authority) = self.authority {
            files.push(("ca.crt", Contents::Text(authority.certificate().to_owned())));
            files.push(("ca.key", Contents::Secret(authority.key().clone())));
        }
        Ok(Action::Detach(Box::new(Detached {
            files,
            script: self.script(facts),
            follow_only: false,
            yields: Some(Yields::JoinGrant),
            ..followed()
        })))
    }

    /// `made` holds the digest of the CA that this job made or brought: only what is under that CA is ever taken back.
    fn script(&self, facts: &Facts) -> String {
        let flags = node::flags(self.inventory);
        let reset = node::reset(self.inventory, self.host, facts);
        let ca = if let Some(kept) = self.kept {
            &format!("kept={}\n{KEPT_PKI}", quote(kept))
        } else if self.authority.is_some() {
            "mkdir -p /etc/kubernetes/pki
install -m 0644 ca.crt $ca
install -m 0600 ca.key /etc/kubernetes/pki/ca.key
"
        } else {
            ""
        };
        format!(
            "ca=/etc/kubernetes/pki/ca.crt
there() {{ [ -e \"$1\" ]; }}
if there /etc/kubernetes/kubelet.conf || there /etc/kubernetes/admin.conf || there /etc/kubernetes/manifests/*.yaml; then
    if [ ! -e taking-back ] && {{ [ ! -s made ] || ! sha256sum $ca | cmp -s - made; }}; then
        echo 'error: what is in /etc/kubernetes is not of the init of kfleet that failed before: nothing was touched'
        exit 1
    fi
    echo '[reset] Taking back the init that failed before'
    touch taking-back
    {reset}
fi
rm -f made taking-back
{ca}kubeadm init phase certs ca --config config.yaml
sha256sum $ca > made
kubeadm init --config config.yaml{flags}
cat $ca
"
        )
    }
}

impl Step for ControlPlane<'_> {
    fn name(&self) -> &'static str {
        "control-plane"
    }

    fn probe(&self) -> Wanted {
        Wanted { jobs: [JOB.to_owned()].into(), ..Wanted::default() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        let init = |what: &str| match self.init(facts) {
            Ok(action) => change(what, vec![action]),
            Err(reason) => Change::Refused {
                reason: format!("no kubeadm configuration can be made: {reason}"),
                hint: "see `kfleet hosts` for what the inventory says of it".to_owned(),
            },
        };
        match stage(facts) {
            Stage::Bare if self.kept.is_some() => init("kubeadm init, under the CA that is kept"),
            Stage::Bare => init("kubeadm init"),
            Stage::Initialising => {
                let yields = Some(Yields::JoinGrant);
                let follow = Action::Detach(Box::new(Detached { yields, ..followed() }));
                change("kubeadm init, which runs already", vec![follow])
            }
            Stage::Unheard => {
                change("kubeadm init, which ended meanwhile", vec![revoke(), Action::Detach(Box::new(followed()))])
            }
            Stage::HalfMade => match in_use(facts) {
                None => init("kubeadm init, after a reset of the one that failed, and of what is in its etcd"),
                Some(why) => Change::Refused {
                    reason: format!("an init of kfleet's failed here before, and {why}"),
                    hint: "look at it; then keep it with `rm -r /var/lib/kfleet/jobs/init`, or take it down with \
                           `kubeadm reset`"
                        .to_owned(),
                },
            },
            Stage::Living => Change::none("it runs here already"),
        }
    }
}

/// How far the control plane has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is none.
    Bare,
    /// kfleet's init runs.
    Initialising,
    /// kfleet's init ended well, and no kfleet was there to hear it.
    Unheard,
    /// kfleet's init began and did not end well.
    HalfMade,
    /// It is there, whether or not it answers.
    Living,
}

fn stage(facts: &Facts) -> Stage {
    let there = facts.kubeadm.manifests.is_some() && facts.kubeadm.kubeconfigs.contains_key("admin");
    match facts.jobs.get(JOB) {
        Some(Job::Running) => Stage::Initialising,
        _ if !there => Stage::Bare,
        None => Stage::Living,
        Some(Job::Finished(0)) => Stage::Unheard,
        Some(Job::Finished(_) | Job::Lost) => Stage::HalfMade,
    }
}

/// Whether a control plane was set up here and finished, whether or not it answers.
#[must_use]
pub fn living(facts: &Facts) -> bool {
    matches!(stage(facts), Stage::Living | Stage::Unheard)
}

/// Whether the CA that is here stays: of a control plane that is finished, that kfleet's init is about to finish, or that
/// kfleet does not touch.
#[must_use]
pub fn keeps_ca(facts: &Facts) -> bool {
    match stage(facts) {
        Stage::Initialising | Stage::Unheard | Stage::Living => true,
        Stage::HalfMade => in_use(facts).is_some(),
        Stage::Bare => false,
    }
}

/// Why what a failed init left is not to be taken back: other nodes, or a pod network, hang on its cluster, or may. Where
/// its API server does not answer, etcd's files tell.
fn in_use(facts: &Facts) -> Option<String> {
    let own = ["kube-proxy", "coredns"];
    let answers = facts.cluster.as_ref().filter(|cluster| cluster.unreachable.is_none());
    let other = if let Some(cluster) = answers {
        let node = facts.node_name();
        let node =
            cluster.nodes.iter().map(|node| &node.name).find(|name| **name != node).map(|name| format!("node {name}"));
        let mut workloads = cluster.workloads.iter().map(|workload| &workload.name);
        node.or_else(|| workloads.find(|name| !own.contains(&name.as_str())).cloned())
    } else if let Some(names) = &facts.kubeadm.etcd_names {
        let own = [
            format!("minions/{}", facts.node_name()),
            "daemonsets/kube-system/kube-proxy".to_owned(),
            "deployments/kube-system/coredns".to_owned(),
        ];
        names.iter().find(|name| !own.contains(name)).map(|name| match name.strip_prefix("minions/") {
            Some(node) => format!("node {node}"),
            None => name.clone(),
        })
    } else {
        return Some("whether its cluster is in use cannot be told: its API server does not answer, and its etcd could not be read".to_owned());
    };
    other.map(|name| format!("yet its cluster is in use: it has {}", told(&name)))
}

/// The job as one that is there already.
fn followed() -> Detached {
    Detached::followed(JOB, "kubeadm init --config config.yaml", DEADLINE)
}

/// Takes the token back that nobody was there to take; who joins gets one that is known to be good.
fn revoke() -> Action {
    let script = "sed -n -E 's/.*--token ([a-z0-9]{6})\\..*/\\1/p' /var/lib/kfleet/jobs/init/log | sort -u |
while read -r id; do kubeadm token delete \"$id\" --kubeconfig /etc/kubernetes/admin.conf || :; done";
    Action::Run(RunScript {
        command: "kubeadm token delete".to_owned(),
        script: script.to_owned(),
        deadline: Duration::from_secs(30),
    })
}

fn change(what: &str, actions: Vec<Action>) -> Change {
    Change::Some { diff: vec![format!("+ {what}")], actions, record: Vec::new() }
}

/// The address that the API server is to announce.
#[must_use]
pub fn advertise_address(inventory: &Inventory, facts: &Facts) -> Option<IpAddr> {
    facts.announced(inventory.cluster.advertise_address, inventory.control_plane().ip())
}

fn version(wanted: &KubernetesVersion, kubeadm: &Version) -> Version {
    match wanted {
        KubernetesVersion::AsInstalled => kubeadm.clone(),
        KubernetesVersion::Exactly(version) => version.clone(),
    }
}
