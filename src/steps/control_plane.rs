use std::net::IpAddr;
use std::time::Duration;

use semver::Version;

use crate::cluster::{Authority, InitSpec, init_configuration};
use crate::facts::{Facts, Job, Wanted};
use crate::inventory::{Host, Inventory, KubernetesVersion};

use super::{Action, Change, Contents, Detached, Step, Yields, node};

/// The control plane runs on this host: made by `kubeadm init`, detached from the connection.
pub struct ControlPlane<'a> {
    inventory: &'a Inventory,
    host: &'a Host,
    authority: Option<&'a Authority>,
}

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
        Self { inventory, host: inventory.control_plane(), authority }
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
            node_name: node::name(facts),
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

    fn init(&self, facts: &Facts, follow_only: bool) -> Result<Action, String> {
        let mut files = vec![("config.yaml", Contents::Text(self.configuration(facts)?))];
        if let Some(authority) = self.authority {
            files.push(("ca.crt", Contents::Text(authority.certificate().to_owned())));
            files.push(("ca.key", Contents::Secret(authority.key().clone())));
        }
        Ok(Action::Detach(Box::new(Detached {
            name: JOB,
            command: "kubeadm init --config config.yaml".to_owned(),
            files,
            script: self.script(facts),
            deadline: DEADLINE,
            follow_only,
            yields: Some(Yields::JoinGrant),
        })))
    }

    /// `made` holds the digest of the CA that this job made or brought: only what is under that CA is ever reset.
    fn script(&self, facts: &Facts) -> String {
        let flags = node::flags(self.inventory);
        let reset = node::reset(self.inventory, self.host, facts);
        let ca = if self.authority.is_some() {
            "mkdir -p /etc/kubernetes/pki
install -m 0644 ca.crt /etc/kubernetes/pki/ca.crt
install -m 0600 ca.key /etc/kubernetes/pki/ca.key
"
        } else {
            ""
        };
        format!(
            "ca=/etc/kubernetes/pki/ca.crt
if [ -s made ]; then
    if ! sha256sum $ca | cmp -s - made; then
        echo \"the CA in $ca is not the one of the init that failed before: nothing was touched\"
        exit 1
    fi
    if [ -e /etc/kubernetes/kubelet.conf ] || [ -d /etc/kubernetes/manifests ]; then
        echo '[reset] Taking back the init that failed before'
        {reset}
    fi
fi
{ca}kubeadm init phase certs ca --config config.yaml
sha256sum $ca > made
kubeadm init --config config.yaml{flags}
rm -f made
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
        let job = facts.jobs.get(JOB);
        let half_made = matches!(job, Some(Job::Lost)) || matches!(job, Some(Job::Finished(status)) if *status != 0);
        let answers = facts.cluster.as_ref().is_some_and(|cluster| cluster.unreachable.is_none());
        let follow_only = job == Some(&Job::Running);
        if !follow_only && living(facts) {
            return match (half_made, answers) {
                (false, _) => Change::none("it runs here already"),
                (true, true) => Change::Refused {
                    reason: "an init of kfleet's failed here before, and yet an API server answers".to_owned(),
                    hint: "look at it; then keep it with `rm -r /var/lib/kfleet/jobs/init`, or take it down with `kubeadm reset`"
                        .to_owned(),
                },
                (true, false) => self.change(facts, follow_only, "kubeadm init, after a reset of the one that failed"),
            };
        }
        let what = if follow_only { "kubeadm init, which runs already" } else { "kubeadm init" };
        self.change(facts, follow_only, what)
    }
}

impl ControlPlane<'_> {
    fn change(&self, facts: &Facts, follow_only: bool, what: &str) -> Change {
        match self.init(facts, follow_only) {
            Ok(action) => Change::Some { diff: vec![format!("+ {what}")], actions: vec![action], record: Vec::new() },
            Err(reason) => Change::Refused {
                reason: format!("no kubeadm configuration can be made: {reason}"),
                hint: "see `kfleet hosts` for what the inventory says of it".to_owned(),
            },
        }
    }
}

/// Whether a control plane was set up here, whether or not it answers.
#[must_use]
pub fn living(facts: &Facts) -> bool {
    facts.kubeadm.manifests.is_some() && facts.kubeadm.kubeconfigs.contains_key("admin")
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
