use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::quote;

use super::firewall_rule::{FirewallRule, RuleKind, Scope};
use super::{Action, RunScript, firewall_guard};

/// What is to be done to firewalld: one call of firewall-cmd for each scope, verb, zone and kind, in this order, since
/// firewall-cmd takes one kind of option a call, though that several times.
#[derive(Debug, Default)]
pub(super) struct FirewallEdits(BTreeMap<Key, Vec<String>>);

type Key = (Scope, Verb, String, RuleKind);

/// Removing comes first: from 1.0 on firewalld melts a range into one that overlaps it, and removing the wider one
/// afterwards would take the other along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Remove,
    Add,
    /// Puts an interface into a zone, out of the one it was in, if any.
    Change,
}

/// firewall-cmd takes 0.3 s; one that waits for D-Bus gives up after 25 s.
const DEADLINE: Duration = Duration::from_secs(60);

impl FirewallEdits {
    pub(super) fn push(&mut self, verb: Verb, rule: FirewallRule) {
        let FirewallRule { kind, zone, item, scope } = rule;
        let items = self.0.entry((scope, verb, zone, kind)).or_default();
        if !items.contains(&item) {
            items.push(item);
        }
    }

    /// A line for each rule; one that is needed at run time and permanently is told once.
    pub(super) fn diff(&self) -> Vec<String> {
        let mut lines: Vec<(String, Vec<Scope>)> = Vec::new();
        for ((scope, verb, zone, kind), items) in &self.0 {
            let sign = if *verb == Verb::Remove { '-' } else { '+' };
            let what = if *kind == RuleKind::Port { String::new() } else { format!("{} ", kind.option()) };
            for item in items {
                let line = format!("{sign} {what}{item} in zone {zone}");
                match lines.iter_mut().find(|(told, _)| *told == line) {
                    Some((_, scopes)) => scopes.push(*scope),
                    None => lines.push((line, vec![*scope])),
                }
            }
        }
        let told = lines.into_iter().map(|(line, scopes)| match scopes[..] {
            [Scope::Runtime] => format!("{line}, at run time"),
            [Scope::Permanent] => format!("{line}, permanently"),
            _ => line,
        });
        told.collect()
    }

    /// What does it: first what is in force at once. Where that closes anything, who sits at the keyboard may be among those
    /// who are shut out, whatever the rules look like from here: so the host takes it back by itself unless a new connection
    /// gets in. What holds from the next start on comes after that.
    pub(super) fn actions(&self) -> Vec<Action> {
        let closes = |key: &Key| key.0 == Scope::Runtime && key.1 == Verb::Remove;
        let undo = self.0.iter().filter(|(key, _)| closes(key));
        let undo: Vec<String> =
            undo.map(|((scope, _, zone, kind), items)| command(*scope, "add", zone, *kind, items)).collect();
        let mut actions = Vec::new();
        if !undo.is_empty() {
            actions.push(Action::Run(firewall_guard::arm(&undo)));
        }
        let (now, later): (Vec<_>, Vec<_>) = self.0.iter().partition(|(key, _)| key.0 == Scope::Runtime);
        actions.extend(now.into_iter().map(call));
        if !undo.is_empty() {
            actions.push(Action::ComeBack(firewall_guard::disarm()));
        }
        actions.extend(later.into_iter().map(call));
        actions
    }
}

fn call(((scope, verb, zone, kind), items): (&Key, &Vec<String>)) -> Action {
    let verb = match verb {
        Verb::Remove => "remove",
        Verb::Add => "add",
        Verb::Change => "change",
    };
    let command = command(*scope, verb, zone, *kind, items);
    // Its output tells nothing unless it fails: how often a rule is there already, and which zone is meant.
    let script = format!("{command}\n");
    Action::Run(RunScript { command, script, deadline: DEADLINE })
}

fn command(scope: Scope, verb: &str, zone: &str, kind: RuleKind, items: &[String]) -> String {
    let permanent = if scope == Scope::Permanent { " --permanent" } else { "" };
    let options: String = items.iter().map(|item| format!(" --{verb}-{}={}", kind.option(), quote(item))).collect();
    format!("firewall-cmd{permanent} --zone={}{options}", quote(zone))
}
