use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::facts::{Facts, File, Firewall, Zone};
use crate::inventory::PortRange;
use crate::steps::port_set::{coalesced, parse};
use crate::steps::{Action, Change, Contents, RunScript, Step};

/// A host that is nothing but its facts. Scripts are run by the real /bin/sh, with programs in the path that only note
/// down their arguments, from which the facts are then changed as the real programs would.
pub(super) struct SimulatedHost {
    pub(super) facts: Facts,
    /// Whether firewalld melts ranges that overlap, as it does from 1.0 on.
    pub(super) melts_ports: bool,
    /// Every command that ran.
    pub(super) commands: Vec<String>,
    dir: tempfile::TempDir,
}

/// Notes its name and arguments down, and keeps sysctls as files.
const PROGRAM: &str = r#"#!/bin/sh
dir=${0%/*}
{ printf '%s\t' "${0##*/}" "$@"; echo; } >>"$dir/calls"
[ "${0##*/}" = sysctl ] || exit 0
case $1 in
-n) cat "$dir/value:$2" ;;
-w) key=${2%%=*}
    [ -w "$dir/value:$key" ] || { echo "sysctl: cannot stat $key" >&2; exit 1; }
    [ -e "$dir/stubborn:$key" ] || printf '%s\n' "${2#*=}" >"$dir/value:$key" ;;
esac
"#;

impl SimulatedHost {
    pub(super) fn new(facts: Facts) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for program in ["firewall-cmd", "modprobe", "rm", "sysctl", "systemctl"] {
            let path = dir.path().join(program);
            fs::write(&path, PROGRAM).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let host = Self { facts, melts_ports: true, commands: Vec::new(), dir };
        for (key, value) in &host.facts.sysctls {
            if let Some(value) = value {
                fs::write(host.value(key), value).unwrap();
            }
        }
        host
    }

    /// Does what the step says, and holds that a second time there is nothing to do. Hands back the first time's change.
    pub(super) fn bring_to(&mut self, step: &dyn Step) -> Change {
        let change = step.plan(&self.facts);
        if let Change::Some { actions, .. } = &change {
            for action in actions {
                self.apply(action).unwrap();
            }
        }
        let second = step.plan(&self.facts);
        assert!(matches!(second, Change::None { .. }), "after {change:#?}\n{second:#?}");
        change
    }

    /// Does one thing.
    ///
    /// # Errors
    /// What a script that failed wrote to stderr.
    pub(super) fn apply(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Write(write) => {
                let Contents::Text(text) = &write.contents else { panic!("a base step writes no secret") };
                let current = match self.facts.files.get(&write.path) {
                    Some(File::Present { contents, .. }) => Some(contents),
                    _ => None,
                };
                assert_eq!(write.replaces.as_ref(), current, "{} is not overwritten unseen", write.path);
                let mode = write.mode.unwrap_or(0o644);
                let file = File::Present { contents: text.clone(), mode, owner: "root:root".to_owned() };
                self.facts.files.insert(write.path.clone(), file);
                Ok(())
            }
            // The guard of the firewall: nothing is armed on the machine that runs the tests.
            Action::Run(run) | Action::ComeBack(run)
                if run.command.contains("systemd-run") || run.command.contains(".timer") =>
            {
                self.commands.push(run.command.clone());
                Ok(())
            }
            Action::Run(run) => self.run(run),
            Action::ComeBack(_) | Action::Capture(..) | Action::Detach(_) => panic!("a base step asks for no value"),
        }
    }

    /// A sysctl that takes every value and keeps its own.
    pub(super) fn make_stubborn(&self, key: &str) {
        fs::write(self.dir.path().join(format!("stubborn:{key}")), "").unwrap();
    }

    fn run(&mut self, run: &RunScript) -> Result<(), String> {
        let calls = self.dir.path().join("calls");
        fs::write(&calls, "").unwrap();
        let path = format!("{}:/usr/bin:/bin", self.dir.path().display());
        let script = format!("set -eu\n{}", run.script);
        let output = Command::new("/bin/sh").args(["-c", &script]).env("PATH", path).output().unwrap();
        for call in fs::read_to_string(calls).unwrap().lines() {
            let words: Vec<&str> = call.split_terminator('\t').collect();
            self.commands.push(words.join(" "));
            self.obey(&words);
        }
        let sysctls: Vec<String> = self.facts.sysctls.keys().cloned().collect();
        for key in sysctls {
            let value = fs::read_to_string(self.value(&key)).ok();
            self.facts.sysctls.insert(key, value.map(|value| value.trim_end().to_owned()));
        }
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    }

    fn value(&self, key: &str) -> PathBuf {
        self.dir.path().join(format!("value:{key}"))
    }

    fn obey(&mut self, words: &[&str]) {
        match words {
            ["modprobe", "-a", modules @ ..] => {
                for module in modules {
                    self.facts.modules.insert((*module).to_owned());
                    if *module == "br_netfilter" {
                        fs::write(self.value("net.bridge.bridge-nf-call-iptables"), "0\n").unwrap();
                    }
                }
            }
            ["rm", "-f", path] => drop(self.facts.files.insert((*path).to_owned(), File::Absent)),
            ["systemctl", "disable", "kubelet.service"] => self.facts.kubelet.enabled = false,
            ["systemctl", "enable", "kubelet.service"] => self.facts.kubelet.enabled = true,
            ["firewall-cmd", options @ ..] => self.firewall_cmd(options),
            ["sysctl", ..] => {}
            other => panic!("unknown program: {other:?}"),
        }
    }

    fn firewall_cmd(&mut self, options: &[&str]) {
        let Firewall::Running { runtime, permanent, interface_zones, .. } = &mut self.facts.firewall else {
            panic!("FirewallD is not running");
        };
        let is_permanent = options.contains(&"--permanent");
        let zones = if is_permanent { permanent } else { runtime };
        let name = options.iter().find_map(|option| option.strip_prefix("--zone=")).expect("a zone is always named");
        let kinds: Vec<_> = options.iter().filter_map(|option| option.split_once('=')).collect();
        let kinds: Vec<_> = kinds.into_iter().filter(|(option, _)| *option != "--zone").collect();
        assert!(kinds.windows(2).all(|two| two[0].0 == two[1].0), "not allowed with each other: {options:?}");
        for (option, item) in kinds {
            let item = item.to_owned();
            if option == "--change-interface" {
                for zone in zones.values_mut() {
                    zone.interfaces.remove(&item);
                }
                if !is_permanent {
                    interface_zones.insert(item.clone(), name.to_owned());
                }
            }
            let zone = zones.get_mut(name).expect("INVALID_ZONE");
            match option {
                "--change-interface" => drop(zone.interfaces.insert(item)),
                "--add-port" if self.melts_ports => melt(zone, &item),
                "--add-port" => drop(zone.ports.insert(item)),
                "--remove-port" if self.melts_ports => split(zone, &item),
                "--remove-port" => assert!(zone.ports.remove(&item), "NOT_ENABLED: {item}"),
                "--remove-interface" => {
                    assert!(zone.interfaces.remove(&item), "NOT_ENABLED: {item}");
                    if !is_permanent {
                        interface_zones.remove(&item);
                    }
                }
                "--add-protocol" => drop(zone.protocols.insert(item)),
                "--remove-protocol" => assert!(zone.protocols.remove(&item), "NOT_ENABLED: {item}"),
                other => panic!("unknown option: {other}"),
            }
        }
    }
}

fn melt(zone: &mut Zone, port: &str) {
    let ranges: Vec<PortRange> = zone.ports.iter().map(String::as_str).chain([port]).filter_map(parse).collect();
    zone.ports = coalesced(&ranges).iter().map(ToString::to_string).collect();
}

/// Takes a range out of the one that it is a part of.
fn split(zone: &mut Zone, port: &str) {
    let out = parse(port).unwrap();
    let holds =
        |range: &PortRange| range.protocol == out.protocol && range.first <= out.first && out.last <= range.last;
    let whole = zone.ports.iter().filter_map(|port| parse(port)).find(holds);
    let whole = whole.unwrap_or_else(|| panic!("NOT_ENABLED: {port}"));
    zone.ports.remove(&whole.to_string());
    if whole.first < out.first {
        zone.ports.insert(PortRange { last: out.first - 1, ..whole }.to_string());
    }
    if out.last < whole.last {
        zone.ports.insert(PortRange { first: out.last + 1, ..whole }.to_string());
    }
}

/// Facts with these files; a text of `None` is an absent one.
pub(super) fn with_files(files: &[(&str, Option<&str>)]) -> Facts {
    let file = |text: &str| File::Present { contents: text.to_owned(), mode: 0o644, owner: "root:root".to_owned() };
    let files: BTreeMap<_, _> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.map_or(File::Absent, file))).collect();
    Facts { files, ..Facts::default() }
}

/// A change as a plan would print it, with the scripts.
pub(super) fn told(change: &Change) -> String {
    match change {
        Change::None { why } => format!("nothing: {why}\n"),
        Change::Refused { reason, hint } => format!("refused: {reason}\n  hint: {hint}\n"),
        Change::Some { diff, actions, record } => {
            let diff: String = diff.iter().map(|line| format!("{line}\n")).collect();
            let actions: String = actions.iter().map(told_action).collect();
            let entry = |entry: &crate::steps::Recorded| {
                format!("record {} {} was {:?}\n", entry.kind, entry.item, entry.before)
            };
            diff + &actions + &record.iter().map(entry).collect::<String>()
        }
    }
}

fn told_action(action: &Action) -> String {
    match action {
        Action::Write(write) => {
            let Contents::Text(text) = &write.contents else { panic!("a base step writes no secret") };
            format!("--- write {}\n{text}---\n", write.path)
        }
        Action::Run(run) => format!("--- run {}\n{}---\n", run.command, run.script),
        Action::ComeBack(run) => format!("--- come back and run {}\n{}---\n", run.command, run.script),
        Action::Capture(..) | Action::Detach(_) => panic!("a base step asks for no value"),
    }
}
