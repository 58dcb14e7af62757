use super::simulated_host::{SimulatedHost, told, with_files};
use crate::facts::Facts;
use crate::inventory;
use crate::steps::{Action, Change, Kernel, Step};

const MODULES: &str = "/etc/modules-load.d/kfleet.conf";
const SYSCTLS: &str = "/etc/sysctl.d/99-kfleet.conf";
const SYSCTL_CONF: &str = "/etc/sysctl.conf";
const BRIDGE: &str = "net.bridge.bridge-nf-call-iptables";
const RANGE: &str = "net.ipv4.ip_local_port_range";

fn kernel() -> Kernel {
    let pairs =
        [(BRIDGE, "1"), (RANGE, "32768 60999"), ("net.ipv4.conf.all.rp_filter", "0"), ("net.ipv4.ip_forward", "1")];
    Kernel::new(&inventory::Kernel {
        sysctls: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        modules: vec!["overlay".to_owned(), "br_netfilter".to_owned()],
    })
}

/// A host as it is after its installation: no br_netfilter, and so none of its sysctls.
fn bare() -> Facts {
    let sysctls = [
        (BRIDGE, None),
        (RANGE, Some("32768\t60999")),
        ("net.ipv4.conf.all.rp_filter", Some("2")),
        ("net.ipv4.ip_forward", Some("0")),
    ];
    Facts {
        sysctls: sysctls.map(|(key, value)| (key.to_owned(), value.map(ToOwned::to_owned))).into(),
        modules: ["overlay".to_owned()].into(),
        ..with_files(&[(MODULES, None), (SYSCTLS, None), (SYSCTL_CONF, None)])
    }
}

/// A host that is as wanted.
fn done() -> Facts {
    let mut host = SimulatedHost::new(bare());
    host.bring_to(&kernel());
    host.facts
}

#[test]
fn a_bare_host_gets_all_of_it_and_then_nothing() {
    let mut host = SimulatedHost::new(bare());
    insta::assert_snapshot!(told(&host.bring_to(&kernel())));
}

#[test]
fn only_what_differs_is_set() {
    let mut facts = done();
    facts.sysctls.insert("net.ipv4.ip_forward".to_owned(), Some("0".to_owned()));
    let mut host = SimulatedHost::new(facts);
    host.bring_to(&kernel());
    assert_eq!(host.commands, ["sysctl -w net.ipv4.ip_forward=1", "sysctl -n net.ipv4.ip_forward"]);
}

#[test]
fn a_file_of_an_older_inventory_is_replaced() {
    let old = "# Written by kfleet: what is changed here is lost.\nip_vs\noverlay\nbr_netfilter\n";
    let mut facts = done();
    facts.files.extend(with_files(&[(MODULES, Some(old))]).files);
    let Change::Some { diff, .. } = SimulatedHost::new(facts).bring_to(&kernel()) else { panic!() };
    assert_eq!(diff, ["- ip_vs in /etc/modules-load.d/kfleet.conf"]);
}

#[test]
fn a_zero_that_is_wanted_is_as_good_as_any_value() {
    let change = kernel().plan(&done());
    assert!(matches!(change, Change::None { .. }), "{change:?}");
}

#[test]
fn a_module_that_is_built_in_shows_by_its_sysctls() {
    let mut facts = done();
    facts.modules = ["overlay".to_owned()].into();
    let change = kernel().plan(&facts);
    assert!(matches!(change, Change::None { .. }), "{change:?}");
}

#[test]
fn a_sysctl_that_no_module_can_bring_is_refused_before_anything_is_done() {
    let mut facts = done();
    facts.sysctls.insert(RANGE.to_owned(), None);
    assert!(
        told(&kernel().plan(&facts)).starts_with("refused: the kernel has no sysctl net.ipv4.ip_local_port_range\n")
    );
}

#[test]
fn a_value_that_the_kernel_does_not_keep_fails_with_key_and_values() {
    let mut host = SimulatedHost::new(bare());
    host.make_stubborn("net.ipv4.ip_forward");
    let Change::Some { actions, .. } = kernel().plan(&host.facts) else { panic!() };
    host.apply(&actions[0]).unwrap();
    assert!(matches!(&actions[1], Action::Run(run) if run.command.starts_with("sysctl ")));
    assert_eq!(host.apply(&actions[1]), Err("net.ipv4.ip_forward: wanted 1, got 0\n".to_owned()));
}

#[test]
fn what_would_undo_it_at_boot_is_told() {
    let conf =
        "# net.ipv4.ip_forward=0\nnet.ipv4.ip_forward=1\n-net/ipv4/conf/all/rp_filter = 2\nnet.ipv4.ip_forward = 0\n";
    let mut facts = done();
    facts.files.extend(with_files(&[(SYSCTL_CONF, Some(conf))]).files);
    assert_eq!(
        told(&kernel().plan(&facts)),
        "nothing: modules and sysctls are as wanted, now and at boot; \
         /etc/sysctl.conf line 3 sets net.ipv4.conf.all.rp_filter = 2 and may undo it at boot; \
         /etc/sysctl.conf line 4 sets net.ipv4.ip_forward = 0 and may undo it at boot\n"
    );
}
