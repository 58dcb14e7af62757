use super::fleet::{Fleet, is_member};
use crate::cluster::pause_tag;
use crate::doctor::Finding;
use crate::doctor::enumeration::enumeration;
use crate::events::Severity::{Error, Warning};
use crate::facts::{Facts, Runtime, RuntimeKind};
use crate::inventory::Host;

/// The first Kubernetes whose kubelet speaks to Docker through cri-dockerd only.
const WITHOUT_DOCKERSHIM: u64 = 24;

/// Each host has one container runtime that Kubernetes can use.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    let findings = |(host, facts): &(&Host, &Facts)| match chosen(fleet, host, facts) {
        Err(finding) => vec![finding],
        Ok(None) => Vec::new(),
        Ok(Some(runtime)) => {
            [switched_off(host, runtime), pause_image(fleet, host, facts, runtime)].into_iter().flatten().collect()
        }
    };
    fleet.hosts.iter().flat_map(findings).collect()
}

/// The runtime that kubeadm would take on this host; `None` where a member's choice is its own and not known here.
pub(super) fn chosen<'a>(fleet: &Fleet<'_>, host: &Host, facts: &'a Facts) -> Result<Option<&'a Runtime>, Finding> {
    if let Some(socket) = host.cri_socket.as_ref().or(fleet.inventory.cluster.cri_socket.as_ref()) {
        return at(host, facts, socket).map(Some);
    }
    let mut running: Vec<&Runtime> = facts.runtimes.iter().filter(|runtime| runtime.running).collect();
    if by_dockershim(facts) && running.iter().any(|runtime| runtime.kind == RuntimeKind::Docker) {
        // Docker brings its own containerd, and kubeadm up to 1.23 takes it for a part of Docker.
        running.retain(|runtime| runtime.kind != RuntimeKind::Containerd);
    }
    match running.as_slice() {
        [one] => Ok(Some(one)),
        [] => Err(none_running(host, facts)),
        _ if is_member(facts) => Ok(None),
        several => {
            let sockets: Vec<_> = several.iter().map(|runtime| runtime.socket.as_str()).collect();
            let reason =
                format!("it has several container runtimes, {}: kubeadm does not choose", enumeration(&sockets));
            let hint = format!("cri_socket = \"{}\" for this host, or in [cluster]", sockets[0]);
            Err(Finding::of_host(&host.name, Error, "several-runtimes", reason).with_hint(hint))
        }
    }
}

/// Whether this host's kubelet has the part that speaks to Docker itself.
pub(super) fn by_dockershim(facts: &Facts) -> bool {
    let version = facts.packages.kubeadm.as_ref().or(facts.packages.kubelet.as_ref());
    version.is_some_and(|version| version.minor < WITHOUT_DOCKERSHIM)
}

/// How a person names it.
pub(super) const fn name(kind: RuntimeKind) -> &'static str {
    match kind {
        RuntimeKind::Containerd => "containerd",
        RuntimeKind::Docker => "Docker",
        RuntimeKind::Crio => "CRI-O",
    }
}

const fn unit(kind: RuntimeKind) -> &'static str {
    match kind {
        RuntimeKind::Containerd => "containerd",
        RuntimeKind::Docker => "docker",
        RuntimeKind::Crio => "crio",
    }
}

fn at<'a>(host: &Host, facts: &'a Facts, socket: &str) -> Result<&'a Runtime, Finding> {
    let wanted = path(socket);
    match facts.runtimes.iter().find(|runtime| path(&runtime.socket) == wanted) {
        Some(runtime) if runtime.running => Ok(runtime),
        Some(runtime) => Err(stopped(host, runtime)),
        None => {
            let sockets: Vec<_> = facts.runtimes.iter().map(|runtime| runtime.socket.as_str()).collect();
            let reason = format!("no container runtime listens at its cri_socket {socket}");
            let finding = Finding::of_host(&host.name, Error, "runtime-missing", reason);
            Err(if sockets.is_empty() {
                finding
            } else {
                finding.with_hint(format!("it has {}", enumeration(&sockets)))
            })
        }
    }
}

/// /var/run is /run on every host of systemd's.
fn path(socket: &str) -> String {
    let path = socket.strip_prefix("unix://").unwrap_or(socket);
    path.strip_prefix("/var/run/").map_or_else(|| path.to_owned(), |rest| format!("/run/{rest}"))
}

fn none_running(host: &Host, facts: &Facts) -> Finding {
    facts.runtimes.first().map_or_else(
        || {
            Finding::of_host(&host.name, Error, "runtime-missing", "no container runtime is installed")
                .with_hint("install containerd there, or CRI-O, or Docker (from Kubernetes 1.24 on with cri-dockerd)")
        },
        |runtime| stopped(host, runtime),
    )
}

fn stopped(host: &Host, runtime: &Runtime) -> Finding {
    let reason = format!("{} is installed and does not run: {} is not there", name(runtime.kind), runtime.socket);
    let unit = unit(runtime.kind);
    let hint = format!("`systemctl enable --now {unit}` there; `journalctl -u {unit}` says why it stopped");
    Finding::of_host(&host.name, Error, "runtime-stopped", reason).with_hint(hint)
}

fn switched_off(host: &Host, runtime: &Runtime) -> Option<Finding> {
    (runtime.kind == RuntimeKind::Containerd && !runtime.cri_enabled).then(|| {
        let reason = "containerd's CRI plugin is switched off, as Docker's packages ship it".to_owned();
        Finding::of_host(&host.name, Error, "cri-disabled", reason).with_hint(
            "in /etc/containerd/config.toml there take \"cri\" out of `disabled_plugins = [\"cri\"]`, then `systemctl \
             restart containerd`",
        )
    })
}

/// Tags are compared and not registries: those were renamed within patch releases, and mirrors have names of their own.
fn pause_image(fleet: &Fleet<'_>, host: &Host, facts: &Facts, runtime: &Runtime) -> Option<Finding> {
    // A member was made by the cluster's kubeadm, whatever was installed since.
    let members = fleet.kubernetes().filter(|_| is_member(facts));
    let kubeadm = members.or(facts.packages.kubeadm.as_ref())?;
    if runtime.kind == RuntimeKind::Docker && by_dockershim(facts) {
        // There the kubelet itself says which.
        return None;
    }
    let image = runtime.pause_image.as_deref()?;
    let (repository, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    let wanted = pause_tag(kubeadm)?;
    if tag == wanted || repository.contains('@') {
        return None;
    }
    let runtime_name = name(runtime.kind);
    let reason = format!(
        "{runtime_name} starts pods with {image}, kubeadm {kubeadm} fetches pause:{wanted}: the one can be collected \
         as \
         garbage, and is missing where no registry is reached"
    );
    let (key, file) = match runtime.kind {
        RuntimeKind::Containerd => ("sandbox_image", "/etc/containerd/config.toml"),
        RuntimeKind::Docker => ("--pod-infra-container-image", "cri-dockerd's unit"),
        RuntimeKind::Crio => ("pause_image", "/etc/crio/crio.conf"),
    };
    let hint = format!("{key} = \"{repository}:{wanted}\" in {file} there, and restart it");
    Some(Finding::of_host(&host.name, Warning, "pause-image", reason).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use crate::doctor::sample::{self, Case};
    use crate::facts::RuntimeKind::{Containerd, Crio, Docker};

    const CASES: [Case; 14] = [
        ("none", |_, hosts| sample::of(hosts, "h2").runtimes.clear()),
        ("stopped", |_, hosts| sample::of(hosts, "h2").runtimes[0].running = false),
        ("several running", |_, hosts| sample::of(hosts, "h2").runtimes.push(sample::runtime(Crio))),
        ("several running, one chosen", |inventory, hosts| {
            sample::of(hosts, "h2").runtimes.push(sample::runtime(Crio));
            inventory.hosts[1].cri_socket = Some("unix:///run/crio/crio.sock".into());
        }),
        ("several, one running", |_, hosts| {
            sample::of(hosts, "h2").runtimes.push(sample::runtime(Crio));
            sample::of(hosts, "h2").runtimes[0].running = false;
        }),
        ("several on a member", |_, hosts| {
            *hosts = sample::joined();
            sample::of(hosts, "h2").runtimes.push(sample::runtime(Crio));
        }),
        ("Docker brings its containerd", |_, hosts| {
            sample::of(hosts, "h2").runtimes.push(sample::runtime(Docker));
            sample::of(hosts, "h2").runtimes[0].cri_enabled = false;
        }),
        ("from 1.24 on that is two", |_, hosts| {
            hosts.values_mut().for_each(|facts| sample::install(facts, &Version::new(1, 24, 3)));
            sample::of(hosts, "h2").runtimes.push(sample::runtime(Docker));
        }),
        ("the chosen one is not there", |inventory, _| {
            inventory.cluster.cri_socket = Some("/var/run/crio/crio.sock".into());
            inventory.hosts[0].cri_socket = Some("unix:///var/run/containerd/containerd.sock".into());
        }),
        ("the chosen one is stopped", |inventory, hosts| {
            inventory.hosts[1].cri_socket = Some("/run/containerd/containerd.sock".into());
            sample::of(hosts, "h2").runtimes[0].running = false;
        }),
        ("CRI switched off", |_, hosts| sample::of(hosts, "h3").runtimes[0].cri_enabled = false),
        ("another pause image", |_, hosts| {
            sample::of(hosts, "h1").runtimes[0].pause_image = Some("registry.k8s.io/pause:3.6".into());
            sample::of(hosts, "h2").runtimes[0].pause_image = Some("mirror.example.com:5000/k8s/pause:3.2".into());
            sample::of(hosts, "h3").runtimes[0].pause_image = Some("mirror.example.com:5000/pause".into());
        }),
        ("no pause image said", |_, hosts| sample::of(hosts, "h2").runtimes[0].pause_image = None),
        ("a kubeadm whose pause image is not known", |_, hosts| {
            hosts.values_mut().for_each(|facts| {
                sample::install(facts, &Version::new(1, 99, 0));
                facts.runtimes = vec![sample::runtime(Containerd)];
                facts.runtimes[0].cgroup_driver = Some("systemd".into());
            });
        }),
    ];

    #[test]
    fn each_host_has_one_runtime_that_will_do() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
