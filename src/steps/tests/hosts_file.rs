use std::collections::BTreeMap;

use super::simulated_host::{SimulatedHost, told, with_files};
use crate::facts::{Facts, File};
use crate::inventory::{
    Cluster, Cni, CniPlugin, Firewall, Host, HostsEntry, Inventory, Kernel, KubernetesVersion, Pki, Role, Ssh,
};
use crate::steps::{Change, HostsFile, Step, Workstation};

const PATH: &str = "/etc/hosts";
/// What the step writes for [`inventory`].
const BLOCK: &str = "\
# BEGIN kfleet
# Written by kfleet: what is changed between these two lines is lost.
10.88.0.11 master-1.example master-1
10.88.0.12 worker-1
10.88.0.5 registry.example registry
# END kfleet
";

fn host(name: &str, address: &str) -> Host {
    Host {
        name: name.to_owned(),
        address: address.to_owned(),
        role: Role::Worker,
        groups: Vec::new(),
        variables: BTreeMap::new(),
        ssh: Ssh::default(),
        cri_socket: None,
        node_ip: None,
    }
}

fn inventory() -> Inventory {
    let hosts = vec![
        Host { role: Role::ControlPlane, ..host("master-1.example", "10.88.0.11") },
        host("worker-1", "10.88.0.12"),
        host("worker-2", "worker-2.example"),
    ];
    Inventory {
        cluster: Cluster {
            name: "lab".to_owned(),
            kubernetes: KubernetesVersion::AsInstalled,
            pod_cidr: "10.244.0.0/16".parse().unwrap(),
            service_cidr: "10.96.0.0/12".parse().unwrap(),
            dns_domain: "cluster.local".to_owned(),
            advertise_address: None,
            endpoint: None,
            port: 6443,
            cert_sans: Vec::new(),
            image_repository: None,
            cri_socket: None,
            ignore_preflight_errors: Vec::new(),
            kubeadm_documents: Vec::new(),
            pki: Pki::Kubeadm,
            cni: Cni {
                plugin: CniPlugin::Flannel,
                interface: None,
                manifest: None,
                backend: "vxlan".to_owned(),
                images: BTreeMap::new(),
            },
        },
        hosts,
        hosts_file: crate::inventory::HostsFile {
            entries: vec![entry("10.88.0.5", &["registry.example", "registry"])],
            from_workstation: false,
        },
        kernel: Kernel { sysctls: BTreeMap::new(), modules: Vec::new() },
        firewall: Firewall {
            manage: true,
            zone: None,
            pod_network_ports: None,
            ports: Vec::new(),
            control_plane_ports: Vec::new(),
            worker_ports: Vec::new(),
        },
    }
}

fn entry(address: &str, names: &[&str]) -> HostsEntry {
    HostsEntry { address: address.parse().unwrap(), names: names.iter().map(|name| (*name).to_owned()).collect() }
}

fn on_worker_1() -> HostsFile {
    HostsFile::new(&inventory(), "worker-1", None)
}

/// The file after `step`, and the change's diff.
fn after(step: &HostsFile, file: Option<&str>) -> (String, Vec<String>) {
    let mut host = SimulatedHost::new(with_files(&[(PATH, file)]));
    let change = host.bring_to(step);
    let Change::Some { diff, .. } = change else { panic!("{change:?}") };
    let File::Present { contents, .. } = &host.facts.files[PATH] else { panic!("not written") };
    (contents.clone(), diff)
}

/// The block's lines after `step` on a host without a hosts file.
fn block(step: &HostsFile) -> (Vec<String>, Vec<String>) {
    let (file, diff) = after(step, None);
    let lines = file.lines().filter(|line| !line.starts_with('#')).map(ToOwned::to_owned).collect();
    (lines, diff.into_iter().filter(|line| !line.starts_with('+')).collect())
}

#[test]
fn what_others_wrote_stays_byte_for_byte_around_the_block() {
    let old = BLOCK.replace("10.88.0.12", "10.88.0.99");
    for (name, file, before, after_it) in [
        ("absent", None, "", ""),
        ("empty", Some(String::new()), "", ""),
        (
            "debian",
            Some("127.0.0.1\tlocalhost\n127.0.1.1\tworker-1\n".to_owned()),
            "127.0.0.1\tlocalhost\n127.0.1.1\tworker-1\n",
            "",
        ),
        ("no final newline", Some("127.0.0.1 localhost".to_owned()), "127.0.0.1 localhost\n", ""),
        (
            "crlf and odd bytes",
            Some("127.0.0.1 localhost\r\n\r\n # \u{feff}é\u{1}\r\n".to_owned()),
            "127.0.0.1 localhost\r\n\r\n # \u{feff}é\u{1}\r\n",
            "",
        ),
        ("older block", Some(format!("::1 a\n{old}\n\n10.0.0.1 gate\n")), "::1 a\n", "\n\n10.0.0.1 gate\n"),
    ] {
        let (written, _) = after(&on_worker_1(), file.as_deref());
        assert_eq!(written, format!("{before}{BLOCK}{after_it}"), "{name}");
    }
}

#[test]
fn the_diff_tells_entries_and_nothing_else() {
    let old = BLOCK.replace("10.88.0.12", "10.88.0.99");
    let (_, diff) = after(&on_worker_1(), Some(&format!("127.0.0.1 localhost\n{old}")));
    assert_eq!(diff, ["- 10.88.0.99 worker-1", "+ 10.88.0.12 worker-1"]);
    let (_, diff) = after(&on_worker_1(), Some("127.0.0.1 localhost"));
    assert_eq!(
        diff,
        ["+ 10.88.0.11 master-1.example master-1", "+ 10.88.0.12 worker-1", "+ 10.88.0.5 registry.example registry"]
    );
}

#[test]
fn a_line_that_leads_a_hosts_name_elsewhere_is_refused() {
    for (file, place) in [
        ("10.88.0.99 worker-1\n", "line 1 of /etc/hosts gives worker-1 the address 10.88.0.99 and not 10.88.0.12"),
        (
            "\n10.88.0.99 a Master-1.EXAMPLE # moved\n",
            "line 2 of /etc/hosts gives master-1.example the address 10.88.0.99",
        ),
        ("127.0.1.1 master-1.example\n", "line 1 of /etc/hosts gives master-1.example the address 127.0.1.1"),
        (&format!("{BLOCK}10.88.0.99 worker-1\n"), "line 7 of /etc/hosts gives worker-1"),
        ("# BEGIN kfleet\n10.88.0.12 worker-1\n", "line 1 has a kfleet marker without its other half"),
        ("a\n# END kfleet\n", "line 2 has a kfleet marker without its other half"),
    ] {
        let told = told(&on_worker_1().plan(&with_files(&[(PATH, Some(file))])));
        assert!(told.starts_with("refused: ") && told.contains(place), "{file:?}: {told}");
    }
    let mut facts = Facts::default();
    facts.files.insert(PATH.to_owned(), File::Unreadable { reason: "it is not UTF-8".to_owned() });
    assert!(told(&on_worker_1().plan(&facts)).starts_with("refused: /etc/hosts cannot be read: it is not UTF-8\n"));
}

#[test]
fn lines_that_harm_nobody_are_no_conflict() {
    for file in [
        "127.0.1.1 worker-1\n",
        "127.0.0.1 localhost worker-1 worker-1.novalocal\n",
        "10.88.0.12 worker-1\n",
        "fd00::12 worker-1\n",
        "# 10.88.0.99 worker-1\n",
        "worker-1 10.88.0.99\n",
    ] {
        let change = on_worker_1().plan(&with_files(&[(PATH, Some(&format!("{file}{BLOCK}")))]));
        assert_eq!(told(&change), "nothing: all 3 entries are there\n", "{file}");
    }
}

#[test]
fn a_line_that_wins_over_an_extra_entry_or_a_short_name_is_told() {
    let file = format!("10.88.0.99 registry\n10.88.0.98 master-1\n{BLOCK}");
    assert_eq!(
        told(&on_worker_1().plan(&with_files(&[(PATH, Some(&file))]))),
        "nothing: all 3 entries are there; \
         line 1 of /etc/hosts gives registry the address 10.88.0.99 and not 10.88.0.5; \
         line 2 of /etc/hosts gives master-1 the address 10.88.0.98 and not 10.88.0.11\n"
    );
}

#[test]
fn an_address_that_only_the_workstation_can_dial_is_no_hosts_address() {
    let mut inventory = inventory();
    inventory.hosts_file.entries.clear();
    inventory.hosts[0].address = "127.0.0.1".to_owned();
    inventory.hosts[1] = Host { node_ip: Some([10, 88, 0, 12].into()), ..host("worker-1", "127.0.0.1") };
    assert_eq!(block(&HostsFile::new(&inventory, "worker-1", None)).0, ["10.88.0.12 worker-1"]);
}

#[test]
fn a_short_name_that_could_mean_two_hosts_is_left_out() {
    let mut inventory = inventory();
    inventory.hosts_file.entries.clear();
    inventory.hosts.push(host("master-1.other", "10.88.0.21"));
    inventory.hosts.push(host("worker-1.other", "10.88.0.22"));
    let (lines, _) = block(&HostsFile::new(&inventory, "worker-1", None));
    assert_eq!(
        lines,
        [
            "10.88.0.11 master-1.example",
            "10.88.0.12 worker-1",
            "10.88.0.21 master-1.other",
            "10.88.0.22 worker-1.other"
        ]
    );
}

#[test]
fn of_the_workstations_file_others_get_what_is_true_for_them_too() {
    let hosts_file = "\
127.0.0.1 localhost
127.0.1.1 desk.example desk
::1 ip6-localhost ip6-loopback
fe00::0 ip6-localnet
ff02::1 ip6-allnodes
255.255.255.255 broadcasthost
fe80::1%lo0 localhost
0.0.0.0 ads.example
10.88.0.1 desk.example DESK git.example # this one
10.88.0.7\tnfs.example nfs
10.88.0.99 worker-1 build.example
10.88.0.5 registry.example
nonsense here
10.88.0.8
10.88.0.9 bad$name
# BEGIN kfleet
10.88.0.50 from-another-run
# END kfleet
";
    let mut inventory = inventory();
    inventory.hosts_file.from_workstation = true;
    let workstation = Workstation { hosts_file, hostname: "desk" };
    let (lines, notes) = block(&HostsFile::new(&inventory, "worker-1", Some(workstation)));
    assert_eq!(lines[3..], ["10.88.0.1 git.example", "10.88.0.7 nfs.example nfs", "10.88.0.99 build.example"]);
    assert_eq!(
        notes,
        [
            "line 13 of the workstation's /etc/hosts is left out: `nonsense` is no address",
            "line 14 of the workstation's /etc/hosts is left out: it has no name",
            "line 15 of the workstation's /etc/hosts is left out: `bad$name` is no host name",
            "the workstation's /etc/hosts: worker-1 stays 10.88.0.12 and is not 10.88.0.99",
        ]
    );
    let half_a_block = Workstation { hosts_file: "# BEGIN kfleet\n10.88.0.50 kept.example\n", hostname: "desk" };
    let (lines, _) = block(&HostsFile::new(&inventory, "worker-1", Some(half_a_block)));
    assert_eq!(lines[3..], ["10.88.0.50 kept.example"]);
    inventory.hosts_file.from_workstation = false;
    assert_eq!(block(&HostsFile::new(&inventory, "worker-1", Some(workstation))).0.len(), 3);
}
