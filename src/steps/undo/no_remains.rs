use std::time::Duration;

use ipnet::IpNet;

use crate::base::{printable, quote};
use crate::facts::{Facts, Wanted};
use crate::steps::places::{Goes, PLACES, RECORDED, kept_places};
use crate::steps::refusal::Refusal;
use crate::steps::{Action, Change, Record, RunScript, Step, wanted_places};

/// What kubeadm leaves behind is gone: links, routes and packet rules of the pod network and of kube-proxy, their files, and
/// the places that were not there before.
#[derive(Debug, Clone, Copy)]
pub struct NoRemains {
    /// Where pods got their addresses.
    pub pods: IpNet,
}

const TOOLS: &str = include_str!("../../../templates/remains.sh");
/// A table of ten thousand rules is read and written back in seconds.
const DEADLINE: Duration = Duration::from_secs(180);

/// What is to go: a line for the reader, and one for the shell.
#[derive(Default)]
struct Sweep {
    diff: Vec<String>,
    calls: Vec<String>,
}

impl Sweep {
    fn add(&mut self, told: &str, function: &str, arguments: &[&str]) {
        self.diff.push(format!("- {}", printable(told)));
        self.quietly(function, arguments);
    }

    fn quietly(&mut self, function: &str, arguments: &[&str]) {
        let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
        self.calls.push(format!("{function} {}\n", arguments.join(" ")));
    }
}

impl NoRemains {
    fn difference(&self, facts: &Facts) -> Result<Change, Refusal> {
        let remains = &facts.remains;
        let mut sweep = Sweep::default();
        for link in &remains.interfaces {
            sweep.add(&format!("interface {link}"), "link", &[link]);
        }
        for address in &remains.addresses {
            let words: Vec<&str> = address.split_whitespace().collect();
            sweep.add(&format!("address {}", words.join(" ")), "address", &words);
        }
        for route in &remains.routes {
            let words: Vec<&str> = route.split_whitespace().collect();
            sweep.add(&format!("route {route}"), "route", &words);
        }
        for (tool, chains) in &remains.rules {
            let told = format!("{chains} chains of the cluster's, and what leads into them, in {tool}");
            sweep.add(&told, "rules", &[tool, &self.pods.to_string()]);
        }
        for server in &remains.virtual_servers {
            let words: Vec<&str> = server.split_whitespace().collect();
            sweep.add(&format!("virtual server {server}"), "virtual_server", &words);
        }
        for set in &remains.ipsets {
            sweep.add(&format!("ipset {set}"), "ipset_gone", &[set]);
        }
        for table in &remains.nft_tables {
            let words: Vec<&str> = table.split_whitespace().collect();
            sweep.add(&format!("nft table {table}"), "nft_table", &words);
        }
        let kept = kept_places(&Record::of(facts)?);
        for path in remains.paths.iter().filter(|path| !kept.contains(path)) {
            sweep.add(path, "whole", &[path]);
        }
        Self::places(facts, &mut sweep)?;
        if sweep.calls.is_empty() {
            return Ok(Change::none("kubeadm left nothing behind"));
        }
        let run = RunScript {
            command: "remove what kubeadm reset leaves behind".to_owned(),
            script: format!("{TOOLS}{}", sweep.calls.concat()),
            deadline: DEADLINE,
        };
        Ok(Change::Some { diff: sweep.diff, actions: vec![Action::Run(run)], record: Vec::new() })
    }

    /// Those that were not there before. What is empty by then is not told: it is nobody's loss.
    fn places(facts: &Facts, sweep: &mut Sweep) -> Result<(), Refusal> {
        let record = Record::of(facts)?;
        let missing: Vec<String> =
            record.entries().filter(|entry| entry.kind == RECORDED).map(|entry| entry.item).collect();
        for place in PLACES.iter().filter(|place| facts.places.get(place.path) == Some(&true)) {
            match place.on(facts).filter(|path| missing.contains(path)) {
                // Root must not follow links in a directory that is not its own.
                Some(path) if place.path.starts_with('~') => {
                    let command: &[&str] = if place.goes == Goes::Whole { &["rm", "-rf"] } else { &["rmdir"] };
                    sweep.quietly("as_user", &[&[&*facts.login.user], command, &["--", &path]].concat());
                }
                Some(path) => match place.goes {
                    Goes::Whole => sweep.add(&path, "whole", &[&path]),
                    Goes::WhenEmpty => sweep.quietly("when_empty", &[&path]),
                    Goes::AsPackaged => sweep.quietly("as_packaged", &[&path]),
                },
                None => {}
            }
        }
        Ok(())
    }
}

impl Step for NoRemains {
    fn name(&self) -> &'static str {
        "remains"
    }

    fn probe(&self) -> Wanted {
        Record::wanted().and(wanted_places()).and(Wanted { remains: Some(self.pods), ..Wanted::default() })
    }

    fn plan(&self, facts: &Facts) -> Change {
        self.difference(facts).unwrap_or_else(Change::from)
    }
}
