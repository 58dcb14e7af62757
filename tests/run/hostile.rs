//! Hosts that mean ill: whatever they answer, nothing of it speaks to the terminal, breaks the JSON or grows without end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::fleet::{Fleet, Ran, address};
use crate::sshd::Sshd;
use crate::terminal::Terminal;

/// ESC, BEL, CR, BS, C1 in both its forms, a right-to-left override, and what is no UTF-8.
const ILL: &str = r"\033]0;owned\007\r\010\033[2J\302\2331m\2331m\342\200\256gnp.\377";

/// The same as far as it is UTF-8, as a file has to be.
const VALID: &str = r"\033]0;owned\007\r\010\033[2J\302\2331m\342\200\256gnp.";

/// The hosts let people in like any other, and run this when they are asked for their facts.
const ANSWER: &str = r#"#!/bin/sh
script=$(cat)
nonce=$(printf '%s\n' "$script" | sed -n 's/^nonce=//p' | head -n 1 | tr -d "'\"")
[ -n "$nonce" ] || ALWAYS || { printf '%s\n' "$script" | eval "$SSH_ORIGINAL_COMMAND"; exit; }
frame() { printf '\n%s %s %s %s\n' "$nonce" "$1" "$2" "$3"; }
. DIR/answer
"#;

impl Fleet {
    /// So many hosts that answer the probe by `answer`, and everything where `always`; `None` as for [`Fleet::start`].
    fn hostile(hosts: usize, answer: &str, always: bool) -> Option<Self> {
        let addresses = format!("ForceCommand DIR/force\nListenAddress {}\nListenAddress {}\n", address(1), address(2));
        let prepare = |directory: &Path| {
            let force = directory.join("force");
            let text = ANSWER.replace("DIR", directory.to_str().unwrap());
            fs::write(&force, text.replace("ALWAYS", if always { "true" } else { "false" })).unwrap();
            fs::set_permissions(&force, fs::Permissions::from_mode(0o755)).unwrap();
            fs::write(directory.join("answer"), answer.replace("ILL", ILL).replace("VALID", VALID)).unwrap();
        };
        let sshd = Sshd::prepared(&addresses, &["ed25519"], prepare)?;
        let mut inventory = format!(
            "[cluster]\nname = \"lab\"\nadvertise_address = \"10.88.0.11\"\n[ssh]\nuser = \"root\"\nport = {}\nidentities = [{:?}]\nknown_hosts = [{:?}]\n",
            sshd.port,
            sshd.path("id"),
            sshd.path("known_hosts")
        );
        for (host, role) in [(1, "control-plane"), (2, "worker")].into_iter().take(hosts) {
            sshd.know(&format!("[{}]:{}", address(host), sshd.port), "ed25519");
            inventory += &format!(
                "[[hosts]]\nname = \"node{host}\"\naddress = \"{}\"\nnode_ip = \"10.88.0.1{host}\"\nrole = \"{role}\"\n",
                address(host)
            );
        }
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("inventory.toml"), inventory).unwrap();
        Some(Self { sshd, home })
    }
}

/// The facts of hosts that lie wherever they can.
const FACTS: &str = r#"
frame said clock-begin 0; date +%s.%N
for word in hostname kernel arch machine-id product-uuid crictl kubeadm kubelet kubectl containerd firewall-version; do
    frame said $word 0; printf 'ILL%s\n' $word
done
frame said os-release 0; printf 'ID="ILL"\nVERSION_ID=ILL\n'
frame said swaps 0; printf 'Filename\n/ILL file\n'
frame said login 0; printf 'ILL\n/ILL\n'
for scope in runtime permanent; do
    frame said firewall-$scope 0
    printf 'ILL (active)\n  target: ILL\n  interfaces: ILL\n  ports: ILL\n\ntrusted\n  target: ILL\n'
done
frame said firewall-default 0; printf 'ILL\n'
frame said links 0; printf '1: lo: <UP> link/loopback\n2: ILL@x: <UP> link/ether\n'
frame said addresses 0; printf '2: ILL inet 10.0.0.1/8\n'
frame file /etc/hosts present; printf '644|root|root|ILL'
frame sysctl net.ipv4.ip_forward present; printf 'ILL'
frame sysctl net.bridge.bridge-nf-call-iptables present; printf '0ILL'
frame module ILL present
for question in firewall-runtime nodes kubeadm; do frame erred $question 1; printf 'ILL abcdef.0123456789abcdef\n'; done
frame said clock-end 0; date +%s.%N
frame probe - end
"#;

/// The facts of a host that could become a node, with a file and a setting that were made to be shown.
const BARE: &str = concat!(
    r#"
frame said clock-begin 0; date +%s.%N
frame said clock-end 0; date +%s.%N
sed -e '/probe - end$/d' -e "s/^nnnn0000 /$nonce /" '"#,
    env!("CARGO_MANIFEST_DIR"),
    r#"/tests/fixtures/probe-lab-host-bare.txt'
frame file /etc/hosts present; echo '644|root|root|0|0|9'; printf '127.0.0.1 localhost\n# VALID\n# VALID' | base64
frame file /var/lib/kfleet/record.json absent
frame file /etc/modules-load.d/kfleet.conf absent
frame sysctl net.bridge.bridge-nf-call-ip6tables present; echo 1
frame sysctl net.ipv4.ip_forward present; printf '0 VALID\n'
frame probe - end
"#
);

/// Nothing there but text and line ends.
fn is_harmless(text: &str, what: &str) {
    for line in text.split('\n') {
        let ill = line.chars().find(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}'));
        assert_eq!(ill, None, "{what}: {line:?}");
        assert!(line.len() < 40_000, "{what}: a line of {} bytes", line.len());
        assert!(!line.contains("0123456789abcdef"), "{what}: a token is told");
    }
}

/// What `arguments` show where nobody looks, on a terminal, and to programs.
fn all_faces(fleet: &Fleet, arguments: &[&str], status: i32) -> (Ran, Vec<Value>) {
    let plain = Ran::of(&mut fleet.kfleet(arguments));
    assert_eq!(plain.status, Some(status), "{plain:?}");
    is_harmless(&plain.stdout, "stdout");
    is_harmless(&plain.stderr, "stderr");
    let json = Ran::of(fleet.kfleet(arguments).arg("--json"));
    assert_eq!(json.status, Some(status), "{json:?}");
    is_harmless(&json.stdout, "--json");
    is_harmless(&json.stderr, "stderr beside --json");
    if let Some(terminal) = Terminal::start(fleet, arguments) {
        let (screen, ended) = terminal.end();
        assert_eq!(ended, Some(status));
        let screen = String::from_utf8(screen).unwrap();
        for ill in ["\x1b]", "\x07", "\x08", "\x1b[2J", "\u{9b}", "\u{202e}", "owned\r"] {
            assert!(!screen.contains(ill), "{ill:?} on the terminal: {screen:?}");
        }
    }
    (plain, json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn a_plan_of_lies_is_still_a_plan() {
    let Some(fleet) = Fleet::hostile(2, FACTS, false) else { return };
    // Preflight finds much, and says it in the hosts' words.
    let (plain, objects) = all_faces(&fleet, &["plan"], 5);
    assert!(plain.stderr.contains("owned"), "the hosts were heard: {}", plain.stderr);
    assert!(objects.iter().any(|object| object["event"] == "problem-found"), "{objects:?}");
    let ran = Ran::of(&mut fleet.kfleet(&["plan", "-v"]));
    is_harmless(&ran.stdout, "plan -v");
    is_harmless(&ran.stderr, "plan -v");
}

#[test]
fn a_diff_is_of_what_was_made_harmless() {
    let Some(fleet) = Fleet::hostile(1, BARE, false) else { return };
    let (plain, objects) = all_faces(&fleet, &["plan"], 0);
    for harmless in ["# ]0;owned", "[2J1mgnp.", "net.ipv4.ip_forward: 0 ]0;owned"] {
        assert!(plain.stdout.contains(harmless), "{harmless}: {plain:?}");
    }
    let planned = |step: &str| objects.iter().any(|object| object["event"] == "step-planned" && object["step"] == step);
    assert!(planned("hosts-file") && planned("kernel"), "{objects:?}");
}

#[test]
fn what_is_no_answer_is_told_in_few_and_harmless_words() {
    for (answer, told) in [
        ("printf 'This account ILL is not available\\n'", "it answered \"This account ]0;owned"),
        ("printf 'ILL' >&2; printf 'last words\\nILL\\n' >&2; exit 7", "last words"),
        // A line that does not end, and an answer that is not one.
        ("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 7", "exit status 7"),
        ("head -c 2000000 /dev/zero | tr '\\0' x", "the probe did not run there"),
        ("frame said \"$(head -c 100000 /dev/zero | tr '\\0' x)\" 0; printf 'ILL'", "the probe's answer ends after"),
        ("frame said \"$(printf 'ILL')\" 0", "the probe's answer ends after"),
    ] {
        let Some(fleet) = Fleet::hostile(2, answer, false) else { return };
        let (plain, _) = all_faces(&fleet, &["plan"], 5);
        assert!(plain.stderr.contains(told), "{answer}: {}", plain.stderr);
        let ran = Ran::of(&mut fleet.kfleet(&["up", "--yes"]));
        assert_eq!(ran.status, Some(5), "{ran:?}");
        is_harmless(&ran.stderr, "up");
        // And again from the journal.
        let again = Ran::of(&mut fleet.kfleet(&["history", "show", "1", "-v"]));
        assert_eq!(again.status, Some(0), "{again:?}");
        is_harmless(&again.stdout, "history");
        assert!(again.stdout.contains(told), "{answer}: {}", again.stdout);
        let journal = fleet.path(".local/state/kfleet/lab/runs/1.jsonl");
        is_harmless(&fs::read_to_string(journal).unwrap(), "the journal");
    }
}

#[test]
fn commands_are_reported_in_harmless_words() {
    let Some(fleet) = Fleet::hostile(2, "printf 'outILL\\nILL'; printf 'errILL\\n' >&2; exit 3", true) else { return };
    for shape in [&[][..], &["-b"], &["--diff"], &["-N"]] {
        let Some(terminal) = Terminal::start(&fleet, &[&["run", "-n"][..], shape, &["true"]].concat()) else { return };
        let (screen, status) = terminal.end();
        assert_eq!(status, Some(5), "{shape:?}");
        let screen = String::from_utf8(screen).unwrap();
        for ill in ["\x1b]", "\x07", "\x08", "\x1b[2J", "\u{9b}", "\u{202e}", "owned\r"] {
            assert!(!screen.contains(ill), "{shape:?}: {ill:?} on the terminal: {screen:?}");
        }
    }
    let ran = fleet.run(&["--json", "true"]);
    is_harmless(&ran.stdout, "--json");
    ran.stdout.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
}
