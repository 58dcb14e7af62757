use std::collections::BTreeSet;
use std::time::Duration;

use ipnet::IpNet;

use crate::base::quote;
use crate::cluster::{CertificatesSpec, certificates_configuration};
use crate::facts::{Facts, Job, Trace, Traces, Wanted};
use crate::inventory::Inventory;

use super::super::node;
use super::super::{Action, Change, Contents, Detached, Step};
use super::{AddressChange, ReinitProgress};

/// The control plane runs at its new address and nothing of it knows the old one: moved in place, by a job that goes on
/// without a connection.
pub struct MovedControlPlane<'a> {
    inventory: &'a Inventory,
    change: &'a AddressChange,
    /// The backup to put back.
    restore: Option<String>,
}

/// The job's name.
const JOB: &str = "reinit";
/// A snapshot of a large etcd takes minutes, and kubelet and API server have four to come back.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// Of it, and of the restore of etcd.
pub(super) const SCRIPT: &str = concat!(
    include_str!("../../../templates/reinit/etcd.sh"),
    include_str!("../../../templates/reinit/stage.sh"),
    include_str!("../../../templates/reinit/control-plane.sh")
);
/// The certificates that it signs anew; what others have signed, the kubelet's own for one, is told of and waited for by nobody.
const SIGNED: [&str; 3] = ["apiserver", "etcd/server", "etcd/peer"];
/// Where the script makes certificates.
const STAGE: &str = "/var/lib/kfleet/reinit/stage/pki";

impl<'a> MovedControlPlane<'a> {
    /// By this change.
    #[must_use]
    pub fn new(inventory: &'a Inventory, change: &'a AddressChange) -> Self {
        Self { inventory, change, restore: None }
    }

    /// With what was put aside when its present address was given to it.
    #[must_use]
    pub fn restoring(self, backup: Option<String>) -> Self {
        Self { restore: backup, ..self }
    }

    /// Where an old address stands that the job puts the new one in place of.
    fn stale(&self, facts: &'a Facts) -> BTreeSet<&'a str> {
        let found = facts.traces.iter().flat_map(|traces| &traces.found);
        let is_ours = |place: &str| match place.strip_prefix("certificate ") {
            Some(path) => SIGNED.iter().any(|name| path == certificate(name)),
            None => !place.ends_with("/etc-hosts"),
        };
        let is_stale = |trace: &&Trace| self.change.from.contains(&trace.address) && is_ours(&trace.place);
        found.filter(is_stale).map(|trace| trace.place.as_str()).collect()
    }

    /// Why this control plane is not to be touched.
    fn unfit(&self, facts: &Facts) -> Option<(String, &'static str)> {
        let name = facts.node_name();
        let names = &facts.kubeadm.api_server_names;
        if !names.is_empty() && !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            let of = names.first().map_or("", String::as_str);
            return Some((
                format!("the host is called {name} now, and its certificates are those of {of}"),
                "a renamed host is another Node to Kubernetes, and a control plane cannot become another one in place: give \
                 it its old name back",
            ));
        }
        if name.parse().is_ok_and(|address| self.change.from.contains(&address)) {
            return Some((
                format!("its Node is called {name}, by the address that is to go"),
                "a Node keeps its name, and this one's would be wrong: `kfleet reinit --from-scratch` makes the cluster anew",
            ));
        }
        if !facts.kubeadm.ca_key {
            return Some((
                "/etc/kubernetes/pki/ca.key is not there: no certificate can be signed for the new address".to_owned(),
                "put the CA's key there for the time of this command",
            ));
        }
        None
    }

    fn job(&self, facts: &Facts, traces: &Traces) -> Result<Detached, String> {
        let manifests = facts.kubeadm.manifests.as_ref().ok_or("there are no static pods here")?;
        let service_subnet =
            manifests.service_cidr.clone().unwrap_or_else(|| self.inventory.cluster.service_cidr.to_string());
        let port = manifests.port.unwrap_or(self.inventory.cluster.port);
        let names = |path: &str| {
            let names = traces.certificates.get(&certificate(path));
            names.into_iter().flatten().map(|name| self.change.moved(name)).collect::<Vec<_>>()
        };
        let spec = CertificatesSpec {
            kubeadm: facts.packages.kubeadm.clone().ok_or("kubeadm is not installed")?,
            node_name: facts.node_name(),
            // With several sockets any is as good.
            cri_socket: node::cri_socket(self.inventory, self.inventory.control_plane(), facts)
                .or_else(|| facts.runtimes.first().map(|runtime| runtime.socket.clone())),
            advertise_address: self.change.to,
            bind_port: port,
            control_plane_endpoint: self.inventory.cluster.endpoint.clone(),
            service_subnet: service_subnet.clone(),
            dns_domain: facts.kubeadm.dns_domain.clone().unwrap_or_else(|| self.inventory.cluster.dns_domain.clone()),
            directory: STAGE,
            api_server_names: names("apiserver").into_iter().chain(self.inventory.cluster.cert_sans.clone()).collect(),
            etcd_server_names: names("etcd/server"),
            etcd_peer_names: names("etcd/peer"),
        };
        let certificates = certificates_configuration(&spec).map_err(|error| error.to_string())?;
        let login = &facts.login;
        let users = [("root", "/root"), (login.user.as_str(), login.home.as_str())]
            .map(|(user, home)| format!("{user}:{home}"));
        let script = format!(
            "{}snapshot=\nrestore={}\nnode={}\nport={port}\nservice={}\nusers={}\n{SCRIPT}",
            self.change.prelude(),
            quote(self.restore.as_deref().unwrap_or_default()),
            quote(&spec.node_name),
            quote(&first_service(&service_subnet).unwrap_or_default()),
            quote(&BTreeSet::from(users).into_iter().collect::<Vec<_>>().join("\n")),
        );
        Ok(Detached {
            files: vec![("certificates.yaml", Contents::Text(certificates))],
            script,
            follow_only: false,
            ..followed()
        })
    }

    /// What a reader is told of it beforehand.
    fn diff(&self, stale: &BTreeSet<&str>, traces: &Traces) -> Vec<String> {
        let from = self.change.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let of_etcd = match (&traces.etcd_way, &traces.etcd_silent) {
            (Some(_), _) => ", and a snapshot of etcd",
            (None, Some(_)) => ", and a copy of etcd's data, as etcd cannot be asked",
            (None, None) => "; nothing of etcd, which is not in a static pod here",
        };
        let mut diff = vec![
            format!("~ {from} becomes {}", self.change.to),
            format!("+ a backup below /var/lib/kfleet/reinit: /etc/kubernetes{of_etcd}"),
        ];
        diff.extend(stale.iter().map(|place| match place.strip_prefix("certificate ") {
            Some(path) => format!("~ {path}, signed anew"),
            None => format!("~ {place}"),
        }));
        if let Some(backup) = &self.restore {
            diff.push(format!("~ certificates and files that nobody has changed since come from {backup}"));
        }
        if let Some(way) = &traces.etcd_way {
            diff.push(format!("~ etcd is asked by {way}"));
        }
        diff.push(
            "~ etcd, the API server, controller manager, scheduler, kubelet and kube-proxy are restarted".to_owned(),
        );
        diff.push("~ the API is away for about 15 s; pods go on".to_owned());
        diff
    }
}

impl Step for MovedControlPlane<'_> {
    fn name(&self) -> &'static str {
        "control-plane-address"
    }

    fn probe(&self) -> Wanted {
        Wanted { jobs: [JOB.to_owned()].into(), traces: true, ..ReinitProgress::wanted() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        if facts.jobs.get(JOB) == Some(&Job::Running) {
            return change(vec!["~ the change of address that runs already".to_owned()], followed());
        }
        let stale = self.stale(facts);
        let pending = ReinitProgress::of(facts)
            .is_some_and(|kept| !kept.done && (kept.to == self.change.to || self.restore.is_some()));
        let nothing = Traces::default();
        let traces = facts.traces.as_ref().unwrap_or(&nothing);
        if stale.is_empty() && !pending {
            return Change::none(format!("it is at {} everywhere", self.change.to));
        }
        if let Some((reason, hint)) = self.unfit(facts) {
            return Change::Refused { reason, hint: hint.to_owned() };
        }
        match self.job(facts, traces) {
            Ok(job) => change(self.diff(&stale, traces), job),
            Err(reason) => Change::Refused {
                reason: format!("its address cannot be changed: {reason}"),
                hint: "see `kfleet hosts` for what the inventory says of it".to_owned(),
            },
        }
    }
}

fn certificate(name: &str) -> String {
    format!("/etc/kubernetes/pki/{name}.crt")
}

/// The API server's own Service: the first address of the Services.
pub(super) fn first_service(subnet: &str) -> Option<String> {
    let subnet: IpNet = subnet.split(',').next()?.trim().parse().ok()?;
    Some(subnet.hosts().next()?.to_string())
}

fn change(diff: Vec<String>, job: Detached) -> Change {
    Change::Some { diff, actions: vec![Action::Detach(Box::new(job))], record: Vec::new() }
}

/// The job as one that is there already.
fn followed() -> Detached {
    Detached::followed(JOB, "the change of the control plane's address", DEADLINE)
}
