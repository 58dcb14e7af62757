use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{dotted_sysctl, printable, quote};
use crate::facts::{Facts, File, Wanted};
use crate::inventory;

use super::difference::Difference;
use super::own_file::OwnFile;
use super::refusal::Refusal;
use super::{Action, Change, Recorded, RunScript, Step};

/// Modules are loaded and sysctls set, now and at every boot.
#[derive(Debug, Clone)]
pub struct Kernel {
    modules: Vec<String>,
    /// Values with single spaces, as [`words`] makes them.
    sysctls: BTreeMap<String, String>,
}

/// Read at boot by systemd-modules-load.
pub(super) const MODULES: &str = "/etc/modules-load.d/kfleet.conf";
/// Read at boot by systemd-sysctl, which takes files of all directories in the order of their names.
pub(super) const SYSCTLS: &str = "/etc/sysctl.d/99-kfleet.conf";
/// Read after [`SYSCTLS`]: by systemd-sysctl where 99-sysctl.conf leads to it, by `sysctl --system` everywhere.
const SYSCTL_CONF: &str = "/etc/sysctl.conf";
/// Setting it resets others, so it is set before them.
const IP_FORWARD: &str = "net.ipv4.ip_forward";
/// Modules are loaded in a moment; a kernel that needs longer hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// A sysctl that holds another value.
#[derive(Debug)]
pub(super) struct Unset<'a> {
    pub(super) key: &'a str,
    /// With single spaces.
    pub(super) wanted: Cow<'a, str>,
    /// `None` where the kernel does not have it yet.
    pub(super) now: Option<&'a str>,
}

impl Kernel {
    /// What the inventory wants of every host's kernel.
    #[must_use]
    pub fn new(kernel: &inventory::Kernel) -> Self {
        Self {
            modules: kernel.modules.clone(),
            sysctls: kernel.sysctls.iter().map(|(key, value)| (key.clone(), words(value))).collect(),
        }
    }

    fn difference(&self, facts: &Facts) -> Result<Change, Refusal> {
        let mut change = Difference::default();
        let missing: Vec<&str> =
            self.modules.iter().map(String::as_str).filter(|module| !is_loaded(facts, module)).collect();
        let unset = self.unset(facts, missing.is_empty())?;
        if !missing.is_empty() {
            change.diff.extend(missing.iter().map(|module| format!("+ module {module}")));
            change.record.extend(missing.iter().map(|module| recorded("module", module, None)));
            change.actions.push(Action::Run(load(&missing)));
        }
        if !unset.is_empty() {
            for Unset { key, wanted, now } in &unset {
                change.diff.push(match now {
                    Some(now) => format!("{key}: {} → {wanted}", printable(now)),
                    None => format!("+ {key} = {wanted}"),
                });
                change.record.push(recorded("sysctl", key, *now));
            }
            change.actions.push(Action::Run(set(&unset)));
        }
        // Last, so that what the kernel refuses is not tried again at every boot.
        let modules = self.modules.iter().map(|module| format!("{module}\n")).collect();
        let sysctls = self.sysctls.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        for (path, lines) in [(MODULES, modules), (SYSCTLS, sysctls)] {
            OwnFile { path, lines }.plan(facts, &mut change)?;
        }
        change.notes = self.undone_at_boot(facts);
        Ok(change.or_none("modules and sysctls are as wanted, now and at boot"))
    }

    /// The sysctls that are still to be set.
    fn unset<'a>(&'a self, facts: &'a Facts, all_modules_are_there: bool) -> Result<Vec<Unset<'a>>, Refusal> {
        let mut unset = Vec::new();
        for (key, value) in &self.sysctls {
            let now = facts.sysctls.get(key).and_then(|now| now.as_deref());
            match now {
                Some(now) if words(now) == *value => {}
                // It may come with a module.
                None if all_modules_are_there => {
                    return Err(Refusal {
                        reason: format!("the kernel has no sysctl {key}"),
                        hint: "is its name right in [kernel.sysctls], or is a module missing in [kernel] modules?"
                            .to_owned(),
                    });
                }
                _ => unset.push(Unset { key, wanted: value.into(), now: now.map(str::trim_end) }),
            }
        }
        sort(&mut unset);
        Ok(unset)
    }

    /// Lines of /etc/sysctl.conf that set a wanted key to something else, after kfleet's own file was read.
    fn undone_at_boot(&self, facts: &Facts) -> Vec<String> {
        let Some(File::Present { contents, .. }) = facts.files.get(SYSCTL_CONF) else { return Vec::new() };
        // The last line of a key is the one that counts.
        let mut last = BTreeMap::new();
        for (index, line) in contents.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some((key, value)) = line.trim_start_matches('-').split_once('=') {
                last.insert(dotted_sysctl(key.trim()), (index + 1, words(value)));
            }
        }
        self.sysctls
            .iter()
            .filter_map(|(key, wanted)| {
                let (line, value) = last.get(&dotted_sysctl(key))?;
                (value != wanted).then(|| {
                    let value = printable(value);
                    format!("{SYSCTL_CONF} line {line} sets {key} = {value} and may undo it at boot")
                })
            })
            .collect()
    }
}

impl Step for Kernel {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn probe(&self) -> Wanted {
        Wanted {
            files: [MODULES, SYSCTLS, SYSCTL_CONF].map(ToOwned::to_owned).into(),
            sysctls: self.sysctls.keys().cloned().collect(),
            modules: self.modules.iter().cloned().collect(),
            ..Wanted::default()
        }
    }

    fn plan(&self, facts: &Facts) -> Change {
        self.difference(facts).unwrap_or_else(Change::from)
    }
}

/// Whether the kernel has what the module brings. One that is built in may be listed nowhere and modprobe may not know
/// it; br_netfilter then still shows by its sysctls.
fn is_loaded(facts: &Facts, module: &str) -> bool {
    let same = |one: &str| one.replace('-', "_") == module.replace('-', "_");
    let has_sysctl = |prefix: &str| facts.sysctls.iter().any(|(key, now)| key.starts_with(prefix) && now.is_some());
    facts.modules.iter().any(|loaded| same(loaded)) || (same("br_netfilter") && has_sysctl("net.bridge."))
}

fn load(modules: &[&str]) -> RunScript {
    let quoted: Vec<_> = modules.iter().map(|module| quote(module)).collect();
    let command = format!("modprobe -a {}", quoted.join(" "));
    RunScript { script: format!("{command}\n"), command, deadline: DEADLINE }
}

/// In the order in which they are to be set.
pub(super) fn sort(unset: &mut [Unset<'_>]) {
    unset.sort_by_key(|unset| unset.key != IP_FORWARD);
}

/// Sets all, then reads all back, since one may change another.
pub(super) fn set(unset: &[Unset<'_>]) -> RunScript {
    let pairs: Vec<_> =
        unset.iter().map(|Unset { key, wanted, .. }| format!("{}={}", quote(key), quote(wanted))).collect();
    let check = |Unset { key, wanted, .. }: &Unset<'_>| format!("read_back {} {}\n", quote(key), quote(wanted));
    let checks: String = unset.iter().map(check).collect();
    let writes: String = pairs.iter().map(|pair| format!("sysctl -w {pair} >/dev/null || :\n")).collect();
    let script = format!(
        r#"wrong=0
read_back() {{
    got=$(printf %s "$(sysctl -n "$1")" | tr -s ' \t\n' ' ')
    if [ "$got" != "$2" ]; then
        printf '%s: wanted %s, got %s\n' "$1" "$2" "${{got:-nothing}}" >&2
        wrong=1
    fi
}}
{writes}{checks}[ "$wrong" = 0 ]
"#
    );
    RunScript { command: format!("sysctl -w {}", pairs.join(" ")), script, deadline: DEADLINE }
}

/// `value` with single spaces: the kernel writes tabs between the parts of a value.
pub(super) fn words(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn recorded(kind: &str, item: &str, before: Option<&str>) -> Recorded {
    Recorded { kind: kind.to_owned(), item: item.to_owned(), before: before.map(ToOwned::to_owned) }
}
