use super::simulated_host::{SimulatedHost, told, with_files};
use crate::facts::{Facts, File, Firewall, Zone};
use crate::steps::{Action, Change, Contents, Record, Recorded, record_action};

fn entry(kind: &str, item: &str, before: Option<&str>) -> Recorded {
    Recorded { kind: kind.to_owned(), item: item.to_owned(), before: before.map(ToOwned::to_owned) }
}

fn absent() -> Facts {
    with_files(&[(Record::PATH, None)])
}

fn written(facts: &Facts, entries: &[Recorded]) -> (String, Option<u32>) {
    match record_action(facts, entries).unwrap() {
        Some(Action::Write(write)) => match write.contents {
            Contents::Text(text) => (text, write.mode),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_oldest_state_before_is_the_one_that_stays() {
    let first = [entry("sysctl", "net.ipv4.ip_forward", Some("0")), entry("block", "/etc/hosts", None)];
    let later = [entry("sysctl", "net.ipv4.ip_forward", Some("1")), entry("module", "br_netfilter", None)];
    let mut host = SimulatedHost::new(absent());
    host.apply(&record_action(&host.facts, &first).unwrap().unwrap()).unwrap();
    let (text, mode) = written(&host.facts, &later);
    assert_eq!(mode, Some(0o600));
    insta::assert_snapshot!(text);
    assert_eq!(Record::parse(&text).unwrap().to_json(), text);
}

#[test]
fn nothing_new_is_nothing_to_write_unless_others_can_read_it() {
    assert!(record_action(&absent(), &[]).unwrap().is_none());
    let entries = [entry("module", "overlay", None)];
    let mut host = SimulatedHost::new(absent());
    host.apply(&record_action(&host.facts, &entries).unwrap().unwrap()).unwrap();
    assert!(record_action(&host.facts, &entries).unwrap().is_none());
    if let Some(File::Present { mode, .. }) = host.facts.files.get_mut(Record::PATH) {
        *mode = 0o644;
    }
    assert_eq!(written(&host.facts, &entries).1, Some(0o600));
}

#[test]
fn a_port_that_is_closed_by_now_is_forgotten_and_what_cannot_be_told_is_kept() {
    let old = [
        entry("firewall-port", "public 6443/tcp runtime", None),
        entry("firewall-port", "public 6443/tcp permanent", None),
        entry("firewall-port", "gone 6443/tcp runtime", None),
        entry("firewall-interface", "trusted cni0 runtime", Some("public")),
        entry("sysctl", "net.ipv4.ip_forward", Some("0")),
    ];
    let open = Zone { ports: ["6443/tcp".to_owned()].into(), ..Zone::default() };
    let firewall = Firewall::Running {
        version: "1.3.3".to_owned(),
        default_zone: "public".to_owned(),
        interface_zones: [].into(),
        runtime: [("public".to_owned(), Zone::default()), ("trusted".to_owned(), Zone::default())].into(),
        permanent: [("public".to_owned(), open)].into(),
    };
    let mut host = SimulatedHost::new(Facts { firewall, ..absent() });
    let text = Record::default().merge(&old).to_json();
    host.facts.files.extend(with_files(&[(Record::PATH, Some(&text))]).files);
    let (text, _) = written(&host.facts, &[]);
    let kept: Vec<_> = Record::parse(&text).unwrap().entries().map(|entry| entry.item).collect();
    assert_eq!(kept, ["gone 6443/tcp runtime", "public 6443/tcp permanent", "net.ipv4.ip_forward"]);
}

#[test]
fn a_record_that_cannot_be_understood_is_never_overwritten() {
    for (text, reason) in [
        ("", "EOF while parsing"),
        ("{", "EOF while parsing"),
        (r#"{"version":2,"entries":[]}"#, "it has version 2, and this kfleet knows version 1"),
        (r#"{"version":1,"entries":[],"more":1}"#, "unknown field `more`"),
    ] {
        let refusal = record_action(&with_files(&[(Record::PATH, Some(text))]), &[]).unwrap_err();
        assert!(refusal.reason.contains(reason), "{text:?}: {}", refusal.reason);
        assert!(told(&Change::from(refusal)).contains("what was on the host before kfleet"));
    }
    let mut unreadable = absent();
    unreadable.files.insert(Record::PATH.to_owned(), File::Unreadable { reason: "it is a directory".to_owned() });
    for facts in [unreadable, Facts::default()] {
        record_action(&facts, &[entry("module", "overlay", None)]).unwrap_err();
    }
}
