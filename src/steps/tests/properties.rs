//! Plan, apply, and plan again on hosts and inventories that were made up: nothing is left to do, what is others' stays, and a
//! reset gives back what was there.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::simulated_host::{SimulatedHost, with_files};
use crate::facts::{Facts, File, Firewall, Unit, Zone};
use crate::inventory::{self, Inventory, PortRange, Workstation};
use crate::steps::port_set::{coalesced, parse};
use crate::steps::{
    Change, FirewallBefore, HostsFile, HostsFileBefore, Kernel, KernelBefore, KubeletUnit, KubeletUnitBefore, Record,
    Recorded, Step, record_action,
};

const HOSTS: &str = "/etc/hosts";
const MODULES: &str = "/etc/modules-load.d/kfleet.conf";
const SYSCTLS: &str = "/etc/sysctl.d/99-kfleet.conf";
const BRIDGE: &str = "net.bridge.bridge-nf-call-iptables";
const PORTS: [&str; 9] = [
    "22/tcp",
    "6443/tcp",
    "6440-6443/tcp",
    "6444/tcp",
    "8285-8472/udp",
    "8300/udp",
    "8400-9000/udp",
    "8000-8290/udp",
    "10250/tcp",
];

/// What the inventory wants of a host.
#[derive(Debug)]
struct Wanted {
    inventory: Inventory,
    firewall: crate::steps::Firewall,
}

impl Wanted {
    fn steps(&self) -> [Box<dyn Step>; 4] {
        [
            Box::new(HostsFile::new(&self.inventory, "h2", None)),
            Box::new(Kernel::new(&self.inventory.kernel)),
            Box::new(self.firewall.clone()),
            Box::new(KubeletUnit),
        ]
    }

    fn undone(&self) -> [Box<dyn Step>; 4] {
        [
            Box::new(KernelBefore::new(&self.inventory.kernel)),
            Box::new(FirewallBefore),
            Box::new(HostsFileBefore),
            Box::new(KubeletUnitBefore),
        ]
    }

    /// What `up` does first, its record before it, and at most so many actions of each step.
    fn apply(&self, host: &mut SimulatedHost, at_most: usize) {
        let changes: Vec<Change> = self.steps().iter().map(|step| step.plan(&host.facts)).collect();
        let entries: Vec<Recorded> = changes.iter().flat_map(Change::record).cloned().collect();
        if let Some(action) = record_action(&host.facts, &entries).unwrap() {
            host.apply(&action).unwrap();
        }
        for action in changes.iter().flat_map(|change| change.actions().iter().take(at_most)) {
            host.apply(action).unwrap();
        }
    }

    /// Whether a step must not touch the host; then it says so, and is left out.
    fn is_refused(&self, facts: &Facts) -> bool {
        self.steps().iter().any(|step| matches!(step.plan(facts), Change::Refused { .. }))
    }
}

fn ports() -> impl Strategy<Value = Vec<String>> {
    subsequence(PORTS.as_slice(), 0..=5).prop_map(|ports| ports.into_iter().map(str::to_owned).collect())
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let entries = subsequence(vec!["10.0.0.9 registry.lan", "10.0.0.10 printer", "fd00::9 registry.lan"], 0..=3);
    let sysctls = subsequence(vec![(BRIDGE, "1"), ("net.ipv4.ip_forward", "1"), ("a.b", "1 2")], 0..=3);
    let pods = subsequence(vec!["cni0", "flannel.1"], 0..=2);
    let zone = select(vec![None, Some("internal")]);
    (2..6_usize, entries, sysctls, ports(), prop::bool::ANY, pods, zone).prop_map(
        |(hosts, entries, sysctls, ports, ipip, pods, zone)| {
            let mut text = "[cluster]\nname = \"lab\"\n[ssh]\nuser = \"ops\"\n[hosts_file]\nentries = [\n".to_owned();
            for (address, name) in entries.iter().filter_map(|entry| entry.split_once(' ')) {
                text += &format!("  {{ address = \"{address}\", names = [\"{name}\"] }},\n");
            }
            text += "]\n[[hosts]]\nname = \"h1\"\naddress = \"10.0.0.1\"\nrole = \"control-plane\"\n";
            text += &format!("[[hosts]]\nname = \"h[2-{hosts}]\"\naddress = \"10.0.0.[2-{hosts}]\"\n");
            let nobody = Workstation { user: None, home: None };
            let mut inventory = Inventory::parse(&text, Path::new("i.toml"), &nobody).unwrap();
            let sysctls = sysctls.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            inventory.kernel = inventory::Kernel { modules: vec!["br_netfilter".to_owned()], sysctls };
            let firewall = crate::steps::Firewall {
                manage: true,
                zone: zone.map(str::to_owned),
                address: None,
                ports: ports.iter().filter_map(|port| parse(port)).collect(),
                protocols: if ipip { vec!["ipip".to_owned()] } else { Vec::new() },
                pod_interfaces: pods.into_iter().map(str::to_owned).collect(),
            };
            Wanted { inventory, firewall }
        },
    )
}

/// A file of somebody's: lines of any kind, with any line ends, or with none at the last.
fn hosts_file() -> impl Strategy<Value = Option<String>> {
    let line = prop_oneof![
        select(vec![
            "127.0.0.1 localhost",
            "127.0.1.1 h2",
            "10.0.0.2 h2 # mine",
            "10.0.0.7 registry.lan",
            "::1 ip6-localhost",
            "# END kfleets",
            "",
            "10.0.0.77 h1",
        ])
        .prop_map(str::to_owned),
        "[ -~\t\u{e9}\r]{0,24}",
    ];
    let end = select(vec!["\n", "\n", "\r\n", "\n\n"]);
    let lines = prop::collection::vec((line, end).prop_map(|(line, end)| line + end), 0..8);
    let file = (lines, prop::bool::ANY).prop_map(|(lines, is_cut)| {
        let text = lines.concat();
        if is_cut { text.trim_end().to_owned() } else { text }
    });
    prop::option::weighted(0.9, file)
}

fn zone(melts: bool) -> impl Strategy<Value = Zone> {
    let protocols = subsequence(vec!["ipip", "esp"], 0..=2);
    let target = select(vec!["default", "default", "ACCEPT", "%%REJECT%%"]);
    (ports(), protocols, target).prop_map(move |(ports, protocols, target)| {
        let ranges: Vec<PortRange> = ports.iter().filter_map(|port| parse(port)).collect();
        let melted = coalesced(&ranges).iter().map(ToString::to_string).collect();
        Zone {
            target: target.to_owned(),
            ports: if melts { melted } else { ports.into_iter().collect() },
            protocols: protocols.into_iter().map(str::to_owned).collect(),
            ..Zone::default()
        }
    })
}

fn zones(melts: bool) -> impl Strategy<Value = BTreeMap<String, Zone>> {
    // Where somebody has put an interface of the pod network.
    let cni0 = select(vec![None, Some("public"), Some("internal"), Some("trusted")]);
    (zone(melts), zone(melts), cni0).prop_map(|(public, internal, cni0)| {
        let trusted = Zone { target: "ACCEPT".to_owned(), ..Zone::default() };
        let mut zones = BTreeMap::from([("public", public), ("internal", internal), ("trusted", trusted)]);
        if let Some(zone) = cni0.and_then(|name| zones.get_mut(name)) {
            zone.interfaces.insert("cni0".to_owned());
        }
        zones.into_iter().map(|(name, zone)| (name.to_owned(), zone)).collect()
    })
}

fn firewall(melts: bool) -> impl Strategy<Value = Firewall> {
    let running = (zones(melts), zones(melts)).prop_map(|(runtime, permanent)| {
        let bound = runtime.iter().filter(|(_, zone)| zone.interfaces.contains("cni0"));
        Firewall::Running {
            version: "1.3.3".to_owned(),
            default_zone: "public".to_owned(),
            interface_zones: bound.map(|(name, _)| ("cni0".to_owned(), name.clone())).collect(),
            runtime,
            permanent,
        }
    });
    prop_oneof![4 => running, 1 => select(vec![Firewall::Absent, Firewall::Stopped])]
}

/// A host before kfleet, and whether its firewalld melts ranges.
fn host() -> impl Strategy<Value = (Facts, bool)> {
    let own = || prop::option::of(select(vec!["mine\n".to_owned(), String::new(), "a.b = 3".to_owned()]));
    let sysctl = |values: Vec<Option<&'static str>>| select(values).prop_map(|value| value.map(str::to_owned));
    let sysctls = (
        sysctl(vec![None, Some("0"), Some("1")]),
        sysctl(vec![Some("0"), Some("1")]),
        sysctl(vec![Some("1\t2"), Some("3\t4"), Some("")]),
    );
    let unit = (prop::bool::ANY, prop::bool::ANY);
    prop::bool::ANY.prop_flat_map(move |melts| {
        (firewall(melts), hosts_file(), own(), own(), sysctls.clone(), unit, Just(melts)).prop_map(
            |(firewall, hosts_file, modules, settings, (bridge, forward, other), (enabled, active), melts)| {
                // The bridge's settings come with its module.
                let loaded = bridge.iter().map(|_| "br_netfilter".to_owned()).collect();
                let sysctls = [(BRIDGE, bridge), ("net.ipv4.ip_forward", forward), ("a.b", other)];
                let facts = Facts {
                    hostname: "h2".to_owned(),
                    firewall,
                    kubelet: Unit { exists: true, enabled, active },
                    modules: loaded,
                    sysctls: sysctls.map(|(key, value)| (key.to_owned(), value)).into(),
                    ..with_files(&[
                        (Record::PATH, None),
                        (HOSTS, hosts_file.as_deref()),
                        (MODULES, modules.as_deref()),
                        (SYSCTLS, settings.as_deref()),
                        ("/etc/sysctl.conf", None),
                    ])
                };
                (facts, melts)
            },
        )
    })
}

fn text(facts: &Facts, path: &str) -> String {
    match facts.files.get(path) {
        Some(File::Present { contents, .. }) => contents.clone(),
        _ => String::new(),
    }
}

/// All that a reset promises to give back. A module stays loaded, and with it the settings that only it brought.
fn promised(before: &Facts, now: &Facts) -> Facts {
    let mut promised = before.clone();
    promised.modules.clone_from(&now.modules);
    for (key, value) in promised.sysctls.iter_mut() {
        let now = &now.sysctls[key];
        let same = |now: &String, was: &String| now.split_whitespace().eq(was.split_whitespace());
        if value.is_none() || now.as_ref().zip(value.as_ref()).is_some_and(|(now, was)| same(now, was)) {
            value.clone_from(now);
        }
    }
    promised
}

proptest! {
    // Each is some dozens of runs of /bin/sh.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn after_up_nothing_is_left_to_do_and_after_reset_nothing_is_left(
        wanted in wanted(),
        (before, melts) in host(),
        cut in 0..4_usize,
    ) {
        let mut host = SimulatedHost::new(before.clone());
        host.melts_ports = melts;
        if wanted.is_refused(&before) {
            // Whoever refuses gives no action.
            for step in wanted.steps() {
                let change = step.plan(&before);
                let is_refused = matches!(change, Change::Refused { .. });
                prop_assert!(!is_refused || change.actions().is_empty());
            }
            return Ok(());
        }
        // One that was interrupted, and one that was not.
        wanted.apply(&mut host, cut);
        wanted.apply(&mut host, usize::MAX);
        for step in wanted.steps() {
            let change = step.plan(&host.facts);
            prop_assert!(matches!(change, Change::None { .. }), "{} is left to do: {change:#?}", step.name());
        }
        let entries: Vec<Recorded> = Vec::new();
        prop_assert!(record_action(&host.facts, &entries).unwrap().is_none(), "the record is not what it will be");
        let (was, is) = (text(&before, HOSTS), text(&host.facts, HOSTS));
        prop_assert!(is.starts_with(&was), "lines of others changed: {was:?} {is:?}");

        for step in wanted.undone() {
            host.bring_to(step.as_ref());
        }
        host.facts.files.insert(Record::PATH.to_owned(), File::Absent);
        prop_assert_eq!(&host.facts, &promised(&before, &host.facts));
    }
}
