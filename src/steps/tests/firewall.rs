use std::collections::BTreeMap;

use super::simulated_host::{SimulatedHost, told, with_files};
use crate::facts::{self, Facts, Interface, InterfaceKind, Zone};
use crate::steps::port_set::parse;
use crate::steps::{Change, Firewall, Record, Step, record_action};

fn worker(ports: &[&str]) -> Firewall {
    Firewall {
        manage: true,
        zone: None,
        address: Some([10, 88, 0, 12].into()),
        ports: ports.iter().map(|port| parse(port).unwrap()).collect(),
        protocols: Vec::new(),
        pod_interfaces: ["cni0", "flannel.1"].map(ToOwned::to_owned).into(),
    }
}

fn zone(target: &str, ports: &[&str], interfaces: &[&str]) -> Zone {
    let set = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    Zone { target: target.to_owned(), ports: set(ports), interfaces: set(interfaces), ..Zone::default() }
}

/// host0 has the host's address; no interface is bound to a zone.
fn host(runtime: &[(&str, Zone)], permanent: &[(&str, Zone)]) -> Facts {
    let zones = |zones: &[(&str, Zone)]| {
        let told = zones.iter().map(|(name, zone)| ((*name).to_owned(), zone.clone()));
        let mut all = BTreeMap::from(
            ["public", "trusted"]
                .map(|name| (name.to_owned(), zone(if name == "trusted" { "ACCEPT" } else { "default" }, &[], &[]))),
        );
        all.extend(told);
        all
    };
    Facts {
        firewall: facts::Firewall::Running {
            version: "1.3.3".to_owned(),
            default_zone: "public".to_owned(),
            interface_zones: BTreeMap::new(),
            runtime: zones(runtime),
            permanent: zones(permanent),
        },
        interfaces: vec![Interface {
            name: "host0".to_owned(),
            kind: InterfaceKind::Network,
            addresses: vec!["10.88.0.12/24".parse().unwrap()],
            default_route: true,
        }],
        ..with_files(&[(Record::PATH, None)])
    }
}

/// Zones that have `ports`, and the pod network's interfaces in zone trusted.
fn host_with(ports: &[&str]) -> Facts {
    let zones = [("public", zone("default", ports, &[])), ("trusted", zone("ACCEPT", &[], &["cni0", "flannel.1"]))];
    host(&zones, &zones)
}

fn diff(change: &Change) -> Vec<String> {
    match change {
        Change::Some { diff, .. } => diff.clone(),
        other => panic!("{other:?}"),
    }
}

/// Plans, writes the record, does it, and forgets what was taken back, as a run does.
fn run(host: &mut SimulatedHost, firewall: &Firewall) -> Change {
    if let Change::Some { record, .. } = firewall.plan(&host.facts)
        && let Some(action) = record_action(&host.facts, &record).unwrap()
    {
        host.apply(&action).unwrap();
    }
    let change = host.bring_to(firewall);
    if let Some(action) = record_action(&host.facts, &[]).unwrap() {
        host.apply(&action).unwrap();
    }
    change
}

#[test]
fn a_bare_host_gets_all_of_it_at_run_time_and_permanently() {
    let mut host = SimulatedHost::new(host(&[], &[]));
    let wanted = Firewall { protocols: vec!["ipip".to_owned()], ..worker(&["10250/tcp", "8285-8472/udp"]) };
    insta::assert_snapshot!(told(&run(&mut host, &wanted)));
}

#[test]
fn what_is_open_already_is_not_opened_again() {
    let tcp = Zone { protocols: ["tcp".to_owned()].into(), ..zone("default", &[], &[]) };
    let wanted = ["10250/tcp", "8285-8472/udp"];
    for (name, public, opened) in [
        ("just so", zone("default", &["10250/tcp", "8285-8472/udp"], &[]), &[][..]),
        ("wider", zone("default", &["10000-11000/tcp", "8285-8400/udp", "8401-9000/udp"], &[]), &[]),
        ("all through", zone("ACCEPT", &[], &[]), &[]),
        ("partly", zone("default", &["10250/tcp", "8472/udp"], &[]), &["+ 8285-8472/udp in zone public"]),
        ("all of tcp", tcp, &["+ 8285-8472/udp in zone public"]),
        ("another protocol", zone("default", &["10250/udp", "8285-8472/udp"], &[]), &["+ 10250/tcp in zone public"]),
    ] {
        let pods = zone("ACCEPT", &[], &["cni0", "flannel.1"]);
        let zones = [("public", public), ("trusted", pods)];
        let mut host = SimulatedHost::new(host(&zones, &zones));
        let change = run(&mut host, &worker(&wanted));
        if opened.is_empty() {
            assert!(matches!(change, Change::None { .. }), "{name}: {change:?}");
        } else {
            assert_eq!(diff(&change), opened, "{name}");
        }
    }
}

#[test]
fn run_time_and_permanent_are_two_states() {
    let open = zone("default", &["10250/tcp"], &[]);
    let closed = zone("default", &[], &[]);
    let pods = || ("trusted", zone("ACCEPT", &[], &["cni0", "flannel.1"]));
    for (runtime, permanent, told) in [
        (&open, &closed, "+ 10250/tcp in zone public, permanently"),
        (&closed, &open, "+ 10250/tcp in zone public, at run time"),
    ] {
        let facts = host(&[("public", runtime.clone()), pods()], &[("public", permanent.clone()), pods()]);
        assert_eq!(diff(&run(&mut SimulatedHost::new(facts), &worker(&["10250/tcp"]))), [told]);
    }
}

#[test]
fn the_zone_is_the_inventorys_else_the_interfaces_else_the_default() {
    let zones = ["internal", "dmz"].map(|name| (name, zone("default", &[], &[])));
    for (inventory, bound, zone) in
        [(Some("dmz"), Some("internal"), "dmz"), (None, Some("internal"), "internal"), (None, None, "public")]
    {
        let mut facts = host(&zones, &zones);
        if let (facts::Firewall::Running { interface_zones, .. }, Some(bound)) = (&mut facts.firewall, bound) {
            interface_zones.insert("host0".to_owned(), bound.to_owned());
        }
        let wanted = Firewall { zone: inventory.map(ToOwned::to_owned), ..worker(&["10250/tcp"]) };
        let change = run(&mut SimulatedHost::new(facts), &wanted);
        assert!(diff(&change).contains(&format!("+ 10250/tcp in zone {zone}")), "{change:?}");
    }
}

#[test]
fn a_zone_that_is_not_there_is_refused() {
    let wanted = Firewall { zone: Some("k8s".to_owned()), ..worker(&[]) };
    let k8s = [("k8s", zone("default", &[], &[]))];
    for (facts, reason) in [
        (host(&[], &[]), "refused: firewalld has no zone k8s in force\n"),
        (host(&[], &k8s), "refused: firewalld has no zone k8s in force\n"),
        (host(&k8s, &[]), "refused: firewalld has no zone k8s in its permanent configuration\n"),
    ] {
        assert!(told(&wanted.plan(&facts)).starts_with(reason), "{:?}", wanted.plan(&facts));
    }
}

#[test]
fn a_pod_interface_leaves_a_zone_that_filters_and_stays_in_one_that_does_not() {
    let zones = [("public", zone("default", &[], &["cni0"])), ("pods", zone("ACCEPT", &[], &["flannel.1"]))];
    let change = run(&mut SimulatedHost::new(host(&zones, &zones)), &worker(&[]));
    assert_eq!(diff(&change), ["+ interface cni0 in zone trusted"]);
    let Change::Some { record, .. } = change else { panic!() };
    assert_eq!(record[0].before.as_deref(), Some("public"));
}

#[test]
fn zone_trusted_is_the_place_even_where_somebody_made_it_filter() {
    let zones = [("trusted", zone("default", &[], &["cni0", "flannel.1"]))];
    let change = run(&mut SimulatedHost::new(host(&zones, &zones)), &worker(&[]));
    assert!(matches!(change, Change::None { .. }), "{change:?}");
}

#[test]
fn firewalld_that_does_not_run_or_is_not_ours_is_reported_and_left_alone() {
    let unmanaged = Firewall { manage: false, ..worker(&["10250/tcp"]) };
    for (firewall, step, why) in [
        (facts::Firewall::Absent, worker(&["10250/tcp"]), "firewalld is not installed"),
        (facts::Firewall::Stopped, worker(&["10250/tcp"]), "firewalld is installed and does not run"),
        (host(&[], &[]).firewall, unmanaged, "left alone, as the inventory says"),
    ] {
        let told = told(&step.plan(&Facts { firewall, ..host(&[], &[]) }));
        assert!(told.starts_with(&format!("nothing: {why}")), "{told}");
    }
}

#[test]
fn firewalld_that_cannot_be_asked_is_refused_unless_it_is_not_ours() {
    let facts =
        Facts { firewall: facts::Firewall::Unknown { reason: "Error: DBUS_ERROR".to_owned() }, ..host(&[], &[]) };
    let told_of = |step: &Firewall| told(&step.plan(&facts));
    assert!(told_of(&worker(&[])).starts_with("refused: firewalld is there and cannot be asked: Error: DBUS_ERROR\n"));
    assert!(told_of(&Firewall { manage: false, ..worker(&[]) }).starts_with("nothing: left alone"));
}

#[test]
fn only_what_kfleet_opened_is_closed_again() {
    for melts_ports in [true, false] {
        let mut host = SimulatedHost::new(host_with(&["9100/tcp"]));
        host.melts_ports = melts_ports;
        run(&mut host, &worker(&["10250/tcp", "30000-32767/tcp"]));
        assert_eq!(diff(&run(&mut host, &worker(&["10250/tcp"]))), ["- 30000-32767/tcp in zone public"]);
        // What an admin opens now is the admin's, though kfleet once opened the same.
        let facts::Firewall::Running { runtime, .. } = &mut host.facts.firewall else { panic!() };
        runtime.get_mut("public").unwrap().ports.insert("30000-32767/tcp".to_owned());
        let change = run(&mut host, &worker(&["10250/tcp"]));
        assert!(matches!(change, Change::None { .. }), "{change:?}");
    }
}

#[test]
fn a_range_is_narrowed_by_closing_it_first() {
    for melts_ports in [true, false] {
        let mut host = SimulatedHost::new(host_with(&[]));
        host.melts_ports = melts_ports;
        run(&mut host, &worker(&["8285-8472/udp"]));
        host.commands.clear();
        run(&mut host, &worker(&["8285/udp", "8472/udp"]));
        assert_eq!(
            host.commands,
            [
                "systemd-run --on-active=60 firewall-cmd --zone=public --add-port=8285-8472/udp",
                "firewall-cmd --zone=public --remove-port=8285-8472/udp",
                "firewall-cmd --zone=public --add-port=8285/udp --add-port=8472/udp",
                "systemctl stop kfleet-firewall-back.timer",
                "firewall-cmd --permanent --zone=public --remove-port=8285-8472/udp",
                "firewall-cmd --permanent --zone=public --add-port=8285/udp --add-port=8472/udp",
            ]
        );
    }
}

#[test]
fn an_admins_port_within_kfleets_range_outlives_it() {
    for melts_ports in [true, false] {
        for narrower in [&[][..], &["8472/udp"]] {
            let mut host = SimulatedHost::new(host_with(&["8472/udp"]));
            host.melts_ports = melts_ports;
            run(&mut host, &worker(&["8285-8472/udp"]));
            run(&mut host, &worker(narrower));
            run(&mut host, &worker(&[]));
            assert_eq!(ports(&host), ["8472/udp"], "melts: {melts_ports}, by way of {narrower:?}");
        }
    }
}

#[test]
fn a_range_that_grew_is_still_all_kfleets() {
    for melts_ports in [true, false] {
        let mut host = SimulatedHost::new(host_with(&[]));
        host.melts_ports = melts_ports;
        run(&mut host, &worker(&["8472/udp"]));
        run(&mut host, &worker(&["8285-8472/udp"]));
        run(&mut host, &worker(&[]));
        assert!(ports(&host).is_empty(), "melts: {melts_ports}: {:?}", ports(&host));
    }
}

/// What zone public has, which must be the same in both states.
fn ports(host: &SimulatedHost) -> Vec<String> {
    let facts::Firewall::Running { runtime, permanent, .. } = &host.facts.firewall else { panic!() };
    assert_eq!(runtime["public"].ports, permanent["public"].ports);
    runtime["public"].ports.iter().cloned().collect()
}

#[test]
fn another_zone_in_the_inventory_takes_the_ports_along() {
    let zones = [("dmz", zone("default", &[], &[]))];
    let mut host = SimulatedHost::new(host(&zones, &zones));
    run(&mut host, &worker(&["10250/tcp"]));
    let moved = Firewall { zone: Some("dmz".to_owned()), ..worker(&["10250/tcp"]) };
    assert_eq!(diff(&run(&mut host, &moved)), ["- 10250/tcp in zone public", "+ 10250/tcp in zone dmz"]);
}
