use std::fmt::Write;
use std::net::IpAddr;

use super::sample::{THREE_HOSTS, inventory, living_fleet, recipe};
use crate::facts::{Facts, File, InterfaceKind, Runtime, Trace, Traces};
use crate::plan::{Fleet, Recipe, Reinit, ReinitOptions, Workstation, pod_network};
use crate::steps::{Action, Change, Record, ReinitProgress};

const NEW: &str = "10.88.0.111";

/// `kfleet reinit` on an inventory that has the new address.
fn reinit(options: ReinitOptions) -> Reinit {
    let inventory = inventory(&THREE_HOSTS.replace("\"10.88.0.11\"", &format!("\"{NEW}\"")));
    let network = pod_network(&inventory, None).unwrap();
    Reinit::new(inventory, Workstation::default(), network, options)
}

fn trace(place: &str, address: &str) -> Trace {
    Trace { place: place.to_owned(), address: address.parse().unwrap() }
}

/// A cluster whose control plane had this address and has the new one on its interface.
fn moved() -> Fleet {
    let mut fleet = living_fleet(&recipe(inventory(THREE_HOSTS)));
    for facts in fleet.values_mut() {
        let hosts = "127.0.0.1 localhost\n".to_owned();
        facts.files.insert("/etc/hosts".to_owned(), present(hosts));
        facts.files.insert(Record::PATH.to_owned(), File::Absent);
        let found = vec![trace("/etc/kubernetes/kubelet.conf", "10.88.0.11")];
        facts.traces = Some(Traces { found, ..Traces::default() });
    }
    let h1 = of(&mut fleet, "h1");
    has(h1, NEW);
    h1.kubeadm.ca_key = true;
    let traces = h1.traces.as_mut().unwrap();
    traces.etcd_way = Some("curl".to_owned());
    traces.found.extend([
        trace("ConfigMap kube-public/cluster-info", "10.88.0.11"),
        trace("certificate /etc/kubernetes/pki/etcd/peer.crt", "10.88.0.11"),
        trace("certificate /etc/kubernetes/pki/etcd/peer.crt", "127.0.0.1"),
        trace("etcd's member", "10.88.0.11"),
    ]);
    fleet
}

fn of<'a>(fleet: &'a mut Fleet, host: &str) -> &'a mut Facts {
    fleet.get_mut(host).unwrap()
}

/// Its way out has this address and no other.
fn has(facts: &mut Facts, address: &str) {
    let interface = facts.interfaces.iter_mut().find(|interface| interface.kind == InterfaceKind::Network).unwrap();
    interface.addresses = vec![format!("{address}/24").parse().unwrap()];
}

fn present(contents: String) -> File {
    File::Present { contents, mode: 0o644, owner: "root:root".to_owned() }
}

/// As the job keeps it.
fn kept(facts: &mut Facts, from: &str, to: &str, restore: &str, state: &str) {
    let contents =
        format!("from={from}\nto={to}\nbackup=/var/lib/kfleet/reinit/backup-1\nrestore={restore}\nstate={state}\n");
    facts.files.insert(ReinitProgress::PATH.to_owned(), present(contents));
}

/// Everything at the new address.
fn done() -> Fleet {
    let mut fleet = moved();
    for facts in fleet.values_mut() {
        let found = vec![trace("/etc/kubernetes/kubelet.conf", NEW)];
        facts.traces = Some(Traces { found, etcd_way: Some("curl".to_owned()), ..Traces::default() });
        for kubeconfig in facts.kubeadm.kubeconfigs.values_mut() {
            kubeconfig.server = format!("https://{NEW}:6443");
        }
    }
    let h1 = of(&mut fleet, "h1");
    h1.kubeadm.manifests.as_mut().unwrap().advertise_address = Some(NEW.to_owned());
    kept(h1, "10.88.0.11", NEW, "", "done");
    fleet
}

/// What stops the run, or the waves with what changes in them.
fn told(recipe: &Reinit, fleet: &Fleet) -> String {
    let mut told = String::new();
    let findings: Vec<_> = recipe.preflight(fleet).into_iter().filter(|finding| finding.check != "clock").collect();
    for finding in &findings {
        writeln!(told, "! {}: {} ({})", finding.check, finding.reason, finding.hint.as_deref().unwrap_or("")).unwrap();
    }
    if !findings.is_empty() {
        return told;
    }
    for (number, wave) in recipe.plan(fleet).waves.iter().enumerate() {
        for host in &wave.hosts {
            for planned in host.planned().filter(|planned| planned.step != "record" && planned.step != "firewall") {
                match &planned.change {
                    Change::Some { diff, .. } => {
                        writeln!(told, "{} {} {}: {}", number + 1, host.host, planned.step, diff.join(", ")).unwrap();
                    }
                    Change::Refused { reason, .. } => {
                        writeln!(told, "{} {} {}: refused: {reason}", number + 1, host.host, planned.step).unwrap();
                    }
                    Change::None { .. } => {}
                }
            }
        }
    }
    told
}

type Case = (&'static str, fn() -> Fleet, fn(&mut Fleet), bool);

#[test]
fn a_cluster_follows_its_control_plane() {
    let cases: &[Case] = &[
        ("moved", moved, |_| {}, false),
        ("everything is there already", done, |_| {}, false),
        ("cut in the middle", done, |fleet| kept(of(fleet, "h1"), "10.88.0.11", NEW, "", "swapped"), false),
        (
            "cut when etcd had its new address and its member not yet",
            done,
            |fleet| {
                let h1 = of(fleet, "h1");
                kept(h1, "10.88.0.11", NEW, "", "swapped");
                let traces = h1.traces.as_mut().unwrap();
                traces.etcd_members = 1;
                traces.found.extend([trace("etcd's member", "10.88.0.11"), trace("etcd's member", NEW)]);
            },
            false,
        ),
        (
            "several members, of which each has an address",
            moved,
            |fleet| {
                let traces = of(fleet, "h1").traces.as_mut().unwrap();
                traces.etcd_members = 2;
                traces.found.push(trace("etcd's member", "10.88.0.50"));
            },
            false,
        ),
        (
            "several members, and etcd is silent",
            moved,
            |fleet| of(fleet, "h1").kubeadm.etcd_cluster = ["h1", "m2"].map(str::to_owned).into(),
            false,
        ),
        (
            "the first of several, as the second's manifest says",
            moved,
            |fleet| {
                of(fleet, "h1").kubeadm.etcd_cluster = ["h1".to_owned()].into();
                of(fleet, "h2").kubeadm.etcd_cluster = ["h1", "h2"].map(str::to_owned).into();
            },
            false,
        ),
        (
            "one member is left of several",
            moved,
            |fleet| {
                let h1 = of(fleet, "h1");
                h1.kubeadm.etcd_cluster = ["h1", "m2"].map(str::to_owned).into();
                h1.traces.as_mut().unwrap().etcd_members = 1;
            },
            false,
        ),
        (
            "two nodes are control planes",
            moved,
            |fleet| {
                let nodes = &mut of(fleet, "h1").cluster.as_mut().unwrap().nodes;
                nodes.iter_mut().take(2).for_each(|node| node.control_plane = true);
            },
            false,
        ),
        (
            "certificates that others sign",
            done,
            |fleet| {
                let traces = of(fleet, "h1").traces.as_mut().unwrap();
                traces.found.extend([
                    trace("certificate /var/lib/kubelet/pki/kubelet-server-current.pem", "10.88.0.11"),
                    trace("certificate /etc/kubernetes/pki/old/apiserver.crt", "10.88.0.11"),
                ]);
            },
            false,
        ),
        (
            "a Node that is called by its address",
            moved,
            |fleet| {
                let kubeadm = &mut of(fleet, "h1").kubeadm;
                kubeadm.node = Some("10.88.0.11".to_owned());
                kubeadm.hostname_override.clone_from(&kubeadm.node);
            },
            false,
        ),
        (
            "etcd does not answer",
            moved,
            |fleet| {
                let traces = of(fleet, "h1").traces.as_mut().unwrap();
                (traces.etcd_way, traces.etcd_silent) = (None, Some("no answer in time".to_owned()));
            },
            false,
        ),
        ("etcd is elsewhere", moved, |fleet| of(fleet, "h1").traces.as_mut().unwrap().etcd_way = None, false),
        (
            "one worker was down",
            done,
            |fleet| {
                let h3 = of(fleet, "h3");
                h3.kubeadm.kubeconfigs.get_mut("kubelet").unwrap().server = "https://10.88.0.11:6443".to_owned();
                h3.traces.as_mut().unwrap().found = vec![trace("/etc/kubernetes/kubelet.conf", "10.88.0.11")];
            },
            false,
        ),
        ("the new address is not there", moved, |fleet| has(of(fleet, "h1"), "10.88.0.11"), false),
        (
            "two old addresses",
            moved,
            |fleet| {
                of(fleet, "h1").traces.as_mut().unwrap().found.push(trace("etcd's member", "10.88.0.50"));
            },
            false,
        ),
        (
            "another pod network than the inventory's",
            moved,
            |fleet| {
                of(fleet, "h1").kubeadm.manifests.as_mut().unwrap().pod_cidr = Some("10.99.0.0/16".to_owned());
            },
            false,
        ),
        ("renamed", moved, |fleet| of(fleet, "h1").kubeadm.api_server_names = vec!["other".to_owned()], false),
        ("without the CA's key", moved, |fleet| of(fleet, "h1").kubeadm.ca_key = false, false),
        ("no cluster", moved, |fleet| of(fleet, "h1").kubeadm.manifests = None, false),
        ("taken back", done, |fleet| has(of(fleet, "h1"), "10.88.0.11"), true),
        ("taken back without the old address", done, |_| {}, true),
        ("nothing to take back", moved, |_| {}, true),
    ];
    let mut all = String::new();
    for (name, begin, change, rollback) in cases {
        let mut fleet = begin();
        change(&mut fleet);
        let recipe = reinit(ReinitOptions { rollback: *rollback, max_failures: 1, ..ReinitOptions::default() });
        writeln!(all, "# {name}\n{}", told(&recipe, &fleet)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_meant_can_be_said() {
    let mut fleet = moved();
    of(&mut fleet, "h1")
        .traces
        .as_mut()
        .unwrap()
        .found
        .push(trace("/etc/kubernetes/manifests/etcd.yaml", "10.88.0.50"));
    let from: Vec<IpAddr> = ["10.88.0.11", "10.88.0.50"].map(|address| address.parse().unwrap()).to_vec();
    let recipe = reinit(ReinitOptions { from: from.into_iter().collect(), ..ReinitOptions::default() });
    assert!(told(&recipe, &fleet).contains("10.88.0.11 and 10.88.0.50 becomes 10.88.0.111"));
}

/// Behind a load balancer that is an address.
fn behind(fleet: &mut Fleet) {
    for facts in fleet.values_mut() {
        for kubeconfig in facts.kubeadm.kubeconfigs.values_mut() {
            kubeconfig.server = "https://10.88.0.100:6443".to_owned();
        }
    }
}

#[test]
fn an_endpoint_that_is_an_address_is_asked_for_and_stays() {
    let mut fleet = moved();
    behind(&mut fleet);
    let said = told(&reinit(ReinitOptions::default()), &fleet);
    assert!(
        said.starts_with("! living-cluster-endpoint: admin.conf asks 10.88.0.100:6443, which stands in no"),
        "{said}"
    );
    assert!(said.contains("write endpoint = \"10.88.0.100:6443\" in [cluster]"), "{said}");
    assert!(!said.contains("--from 10.88.0.11"), "one thing at a time: {said}");

    let mut recipe = reinit(ReinitOptions::default());
    recipe.inventory.cluster.endpoint = Some("10.88.0.100:6443".to_owned());
    let said = told(&recipe, &fleet);
    assert!(said.contains("h1 control-plane-address: ~ 10.88.0.11 becomes 10.88.0.111"), "{said}");
    assert!(!said.contains("10.88.0.100"), "{said}");
}

#[test]
fn what_a_worker_asks_of_itself_stays_and_only_what_was_named_goes() {
    let asks = |address: &str, from: &[&str]| {
        let mut fleet = moved();
        let h3 = of(&mut fleet, "h3");
        h3.kubeadm.kubeconfigs.get_mut("kubelet").unwrap().server = format!("https://{address}:6443");
        let from = from.iter().map(|address| address.parse().unwrap()).collect();
        let recipe = reinit(ReinitOptions { from, ..ReinitOptions::default() });
        let change = recipe.change(&fleet).unwrap();
        recipe.change_of(&change, &fleet["h3"]).from.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(asks("10.88.0.50", &[]), ["10.88.0.11", "10.88.0.50"]);
    assert_eq!(asks("127.0.0.1", &[]), ["10.88.0.11"]);
    assert_eq!(asks("10.88.0.100", &["10.88.0.11"]), ["10.88.0.11"]);
}

#[test]
fn kubectl_is_looked_at_before_anything_is_stopped() {
    let checks = |change: fn(&mut Facts), now: &str| {
        let mut fleet = moved();
        change(of(&mut fleet, "h1"));
        let recipe = reinit(ReinitOptions { now: now.parse().unwrap(), ..ReinitOptions::default() });
        let findings = recipe.preflight(&fleet).into_iter().map(|finding| finding.check);
        findings.filter(|check| *check != "clock").collect::<Vec<_>>()
    };
    let certificate = |facts: &mut Facts| {
        facts.kubeadm.admin_certificate = Some(include_str!("../../../tests/fixtures/kubeadm/ca.crt").into())
    };
    assert!(checks(certificate, "2026-11-27T01:45:00Z").is_empty());
    assert_eq!(checks(certificate, "2037-11-27T01:45:00Z"), ["admin-certificate"]);
    assert_eq!(checks(|facts| facts.packages.kubectl = None, "2026-11-27T01:45:00Z"), ["kubectl-missing"]);
}

#[test]
fn kubeadm_has_no_socket_to_look_for() {
    let mut fleet = moved();
    let h1 = of(&mut fleet, "h1");
    let other = Runtime { socket: "/var/run/other.sock".to_owned(), ..h1.runtimes[0].clone() };
    h1.runtimes.push(other);
    let plan = reinit(ReinitOptions::default()).plan(&fleet);
    let jobs = plan.hosts().flat_map(|host| host.planned()).flat_map(|planned| planned.change.actions());
    let configuration = jobs.filter_map(|action| match action {
        Action::Detach(job) => job.files.iter().find(|(name, _)| *name == "certificates.yaml"),
        _ => None,
    });
    let configuration: Vec<_> = configuration.map(|(_, contents)| format!("{contents:?}")).collect();
    assert!(matches!(&configuration[..], [only] if only.contains("criSocket: ")), "{configuration:?}");
}

#[test]
fn a_large_fleet_follows_in_waves_that_end_in_time() {
    let hosts = THREE_HOSTS.replace("h[2-3]", "h[2-200]").replace("10.88.0.[12-13]", "10.88.0.[12-210]");
    let inventory = inventory(&hosts.replace("\"10.88.0.11\"", "\"10.88.0.250\""));
    let network = pod_network(&inventory, None).unwrap();
    let mut fleet = moved();
    let worker = fleet["h2"].clone();
    has(of(&mut fleet, "h1"), "10.88.0.250");
    for number in 2..=200 {
        fleet.insert(format!("h{number}"), Facts { hostname: format!("h{number}"), ..worker.clone() });
    }
    let waves = Reinit::new(inventory, Workstation::default(), network, ReinitOptions::default()).plan(&fleet).waves;
    let sizes: Vec<usize> = waves.iter().map(|wave| wave.hosts.len()).collect();
    assert_eq!(sizes, [1, 1, 1, 25, 25, 25, 25, 25, 25, 25, 23]);
}
