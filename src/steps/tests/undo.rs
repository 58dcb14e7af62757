use std::collections::BTreeMap;
use std::path::Path;

use super::simulated_host::{SimulatedHost, told, with_files};
use crate::facts::{Facts, File, Firewall, Remains, Unit, Zone};
use crate::inventory::{self, Inventory, PortRange, Protocol, Workstation};
use crate::steps::{
    Change, FirewallBefore, HostsFile, HostsFileBefore, Kernel, KernelBefore, KubeletUnit, KubeletUnitBefore,
    NoKubeconfig, NoNode, NoRemains, Record, Recorded, Step, missing_places, record_action,
};

const MODULES: &str = "/etc/modules-load.d/kfleet.conf";
const SYSCTLS: &str = "/etc/sysctl.d/99-kfleet.conf";

fn inventory() -> Inventory {
    let text = "[cluster]\nname = \"lab\"\n[ssh]\nuser = \"ops\"\n[[hosts]]\nname = \"h1\"\naddress = \"10.0.0.1\"\nrole = \
                \"control-plane\"\n[[hosts]]\nname = \"h2\"\naddress = \"10.0.0.2\"\n";
    Inventory::parse(text, Path::new("i.toml"), &Workstation { user: None, home: None }).unwrap()
}

fn firewalld() -> Firewall {
    let zone = |target: &str, ports: &[&str], interfaces: &[&str]| Zone {
        target: target.to_owned(),
        ports: ports.iter().map(ToString::to_string).collect(),
        interfaces: interfaces.iter().map(ToString::to_string).collect(),
        ..Zone::default()
    };
    let zones = BTreeMap::from([
        // Somebody's own port within the range that kfleet opens, and one of the pod network's links put elsewhere.
        ("public".to_owned(), zone("default", &["22/tcp", "8300/udp"], &["cni0"])),
        ("trusted".to_owned(), zone("ACCEPT", &[], &[])),
    ]);
    Firewall::Running {
        version: "1.3.3".to_owned(),
        default_zone: "public".to_owned(),
        interface_zones: [("cni0".to_owned(), "public".to_owned())].into(),
        runtime: zones.clone(),
        permanent: zones,
    }
}

fn bare(hosts_file: Option<&str>) -> Facts {
    let sysctls = [("net.ipv4.ip_forward", "0"), ("net.bridge.bridge-nf-call-iptables", "1")];
    Facts {
        hostname: "h2".to_owned(),
        firewall: firewalld(),
        kubelet: Unit { exists: true, enabled: false, active: false },
        modules: ["br_netfilter".to_owned()].into(),
        sysctls: sysctls.map(|(key, value)| (key.to_owned(), Some(value.to_owned()))).into(),
        ..with_files(&[
            (Record::PATH, None),
            ("/etc/hosts", hosts_file),
            (MODULES, None),
            (SYSCTLS, None),
            ("/etc/sysctl.conf", None),
        ])
    }
}

fn kernel() -> inventory::Kernel {
    inventory::Kernel {
        modules: vec!["br_netfilter".to_owned()],
        sysctls: [("net.ipv4.ip_forward".to_owned(), "1".to_owned())].into(),
    }
}

/// What `up` does first, its record before it.
fn up(host: &mut SimulatedHost) {
    let inventory = inventory();
    let range = PortRange { first: 8285, last: 8472, protocol: Protocol::Udp };
    let firewall = crate::steps::Firewall {
        manage: true,
        zone: None,
        address: None,
        ports: vec![range],
        protocols: vec!["ipip".to_owned()],
        pod_interfaces: ["cni0", "flannel.1"].map(ToOwned::to_owned).into(),
    };
    let steps: [&dyn Step; 4] =
        [&HostsFile::new(&inventory, "h2", None), &Kernel::new(&kernel()), &firewall, &KubeletUnit];
    let entries: Vec<Recorded> = steps.iter().flat_map(|step| step.plan(&host.facts).record().to_vec()).collect();
    host.apply(&record_action(&host.facts, &entries).unwrap().unwrap()).unwrap();
    for step in steps {
        assert!(matches!(host.bring_to(step), Change::Some { .. }), "{}", step.name());
    }
}

#[test]
fn what_up_did_is_taken_back_and_nothing_else() {
    for (hosts_file, melts) in [
        (Some("127.0.0.1 localhost\n"), true),
        (Some("127.0.0.1 localhost\r\n\n\n# no end of this line"), false),
        (Some(""), true),
        (None, true),
    ] {
        let before = bare(hosts_file);
        let mut host = SimulatedHost::new(before.clone());
        host.melts_ports = melts;
        up(&mut host);
        assert_ne!(host.facts, before);
        let steps: [&dyn Step; 4] =
            [&KernelBefore::new(&kernel()), &FirewallBefore, &HostsFileBefore, &KubeletUnitBefore];
        for step in steps {
            host.bring_to(step);
        }
        host.facts.files.insert(Record::PATH.to_owned(), File::Absent);
        assert_eq!(host.facts, before, "{hosts_file:?}");
        for step in steps {
            assert!(matches!(step.plan(&host.facts), Change::None { .. }), "{}", step.name());
        }
    }
}

#[test]
fn a_value_of_several_numbers_is_given_back() {
    let key = "net.ipv4.ip_local_port_range".to_owned();
    let record = [Recorded { kind: "sysctl".to_owned(), item: key.clone(), before: Some("32768\t60999".to_owned()) }];
    let mut facts = with_files(&[(Record::PATH, Some(&Record::default().merge(&record).to_json()))]);
    facts.sysctls.insert(key.clone(), Some("1024\t65000".to_owned()));
    facts.files.extend(with_files(&[(MODULES, None), (SYSCTLS, None)]).files);
    let mut host = SimulatedHost::new(facts);
    host.bring_to(&KernelBefore::new(&kernel()));
    assert_eq!(host.facts.sysctls[&key].as_deref(), Some("32768 60999"));
}

#[test]
fn a_range_that_firewalld_melted_into_a_wider_one_is_closed_and_the_wider_one_is_as_it_was() {
    for melts in [true, false] {
        let mut before = bare(Some(""));
        let Firewall::Running { runtime, permanent, .. } = &mut before.firewall else { panic!() };
        for zones in [runtime, permanent] {
            zones.get_mut("public").unwrap().ports = ["22/tcp", "8400-9000/udp"].map(str::to_owned).into();
        }
        let mut host = SimulatedHost::new(before.clone());
        host.melts_ports = melts;
        up(&mut host);
        // What was there before is known for good, whatever firewalld calls it by now.
        assert!(record_action(&host.facts, &[]).unwrap().is_none());
        host.bring_to(&FirewallBefore);
        assert_eq!(host.facts.firewall, before.firewall, "{melts}");
    }
}

#[test]
fn lines_that_came_behind_the_block_stay_lines() {
    let mut host = SimulatedHost::new(bare(Some("127.0.0.1 localhost")));
    up(&mut host);
    let Some(File::Present { contents, .. }) = host.facts.files.get_mut("/etc/hosts") else { panic!() };
    contents.push_str("10.1.1.1 printer\n");
    host.bring_to(&HostsFileBefore);
    let Some(File::Present { contents, .. }) = host.facts.files.get("/etc/hosts") else { panic!() };
    assert_eq!(contents, "127.0.0.1 localhost\n10.1.1.1 printer\n");
}

#[test]
fn a_file_that_was_there_before_is_put_back_and_one_of_somebody_else_stays() {
    let record = |entries: &[Recorded]| Record::default().merge(entries).to_json();
    let recorded = Recorded { kind: "file".to_owned(), item: SYSCTLS.to_owned(), before: Some("a = 1\n".to_owned()) };
    let files =
        [(SYSCTLS, Some("# Written by kfleet: what is changed here is lost.\nb = 2\n")), (MODULES, Some("mine\n"))];
    let mut facts = with_files(&files);
    facts.files.extend(with_files(&[(Record::PATH, Some(&record(&[recorded])))]).files);
    let mut host = SimulatedHost::new(facts);
    host.bring_to(&KernelBefore::new(&kernel()));
    let contents = |path| match host.facts.files.get(path) {
        Some(File::Present { contents, .. }) => Some(contents.as_str()),
        _ => None,
    };
    assert_eq!((contents(SYSCTLS), contents(MODULES)), (Some("a = 1\n"), Some("mine\n")));
}

#[test]
fn a_firewalld_that_sleeps_would_wake_up_with_our_ports() {
    let mut host = SimulatedHost::new(bare(Some("")));
    up(&mut host);
    host.facts.firewall = Firewall::Stopped;
    assert!(told(&FirewallBefore.plan(&host.facts)).contains("systemctl start firewalld"));
    host.facts.firewall = Firewall::Absent;
    assert!(told(&FirewallBefore.plan(&host.facts)).starts_with("nothing"));
}

fn with_kubeconfig(digest: &str, recorded: bool) -> Facts {
    let path = "/home/ops/.kube/config".to_owned();
    let entry = Recorded { kind: "kubeconfig".to_owned(), item: path.clone(), before: None };
    let record = Record::default().merge(if recorded { std::slice::from_ref(&entry) } else { &[] }).to_json();
    let mut facts = with_files(&[(Record::PATH, Some(&record))]);
    facts.login.user = "ops".to_owned();
    facts.remains = Remains {
        admin_digest: Some("aa".to_owned()),
        kubeconfig: Some((digest.to_owned(), path)),
        ..Remains::default()
    };
    facts
}

#[test]
fn only_a_kubeconfig_that_kfleet_put_there_and_nobody_changed_goes() {
    let step = NoKubeconfig { kept: Some("bb".to_owned()) };
    for (digest, recorded, starts) in [
        ("aa", true, "- /home/ops/.kube/config\n"),
        ("bb", true, "- /home/ops/.kube/config\n"),
        ("cc", true, "nothing: /home/ops/.kube/config is not as kfleet put it there"),
        ("aa", false, "nothing: /home/ops/.kube/config was not put there by kfleet"),
    ] {
        let told = told(&step.plan(&with_kubeconfig(digest, recorded)));
        assert!(told.starts_with(starts), "{digest} {recorded}: {told}");
    }
}

#[test]
fn what_kubeadm_leaves_is_named_and_swept() {
    let mut facts = Facts {
        remains: Remains {
            interfaces: ["veth1", "flannel.1", "cni0"].map(str::to_owned).into(),
            routes: vec!["10.244.1.0/24 via 10.0.0.3 dev eth0".to_owned()],
            rules: [("iptables".to_owned(), 34), ("ip6tables".to_owned(), 3)].into(),
            addresses: vec!["tunl0 10.244.1.0/32".to_owned()],
            virtual_servers: vec!["-t 10.96.0.1:443".to_owned()],
            ipsets: vec!["KUBE-LOOP-BACK".to_owned()],
            nft_tables: vec!["ip kube-proxy".to_owned()],
            paths: ["/run/flannel", "/etc/cni/net.d/it's mine", "/var/lib/weave"].map(str::to_owned).into(),
            ..Remains::default()
        },
        ..Facts::default()
    };
    facts.login.user = "ops".to_owned();
    facts.login.home = "/home/ops".to_owned();
    let was = ["/etc/cni", "/etc/cni/net.d", "/etc/kubernetes/manifests", "/var/lib/weave"];
    for path in ["/var/log/pods", "~/.kube", "~/.kube/cache", "/opt/cni/bin/flannel"].iter().chain(&was) {
        facts.places.insert((*path).to_owned(), was.contains(path));
    }
    facts.files = with_files(&[(Record::PATH, None)]).files;
    let record = Record::default().merge(&missing_places(&facts)).to_json();
    facts.files = with_files(&[(Record::PATH, Some(&record))]).files;
    facts.places.values_mut().for_each(|there| *there = true);
    let told = told(&NoRemains { pods: "10.244.0.0/16".parse().unwrap() }.plan(&facts));
    let (diff, script) = told.split_once("--- run").unwrap();
    let calls: Vec<&str> = script.lines().skip_while(|line| !line.starts_with("trap")).skip(1).collect();
    insta::assert_snapshot!(format!("{diff}{}", calls.join("\n")));
}

#[test]
fn a_node_is_reset_by_kubeadm_and_a_host_that_is_none_is_not() {
    let inventory = inventory();
    let step = NoNode::new(&inventory, &inventory.hosts[1]);
    assert!(told(&step.plan(&Facts::default())).starts_with("nothing"));
    let mut facts = Facts::default();
    facts.kubeadm.ca_certificate = Some("CA".to_owned());
    let Change::Some { actions, .. } = step.plan(&facts) else { panic!() };
    let [crate::steps::Action::Detach(job)] = &actions[..] else { panic!("{actions:#?}") };
    insta::assert_snapshot!(job.script);
}
