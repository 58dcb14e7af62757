use std::collections::BTreeSet;

use crate::facts::{self, Zone};
use crate::inventory::{PortRange, Protocol};

use super::firewall_edits::{FirewallEdits, Verb};
use super::firewall_rule::{FirewallRule, RuleKind, Scope, zone_of, zones_of};
use super::port_set::{PortSet, coalesced, overlap, parse};
use super::{Firewall, Recorded};

/// The zone that lets everything through.
pub(super) const TRUSTED: &str = "trusted";

/// What firewalld needs in one of its two scopes.
#[derive(Debug)]
pub(super) struct FirewallPlan<'a> {
    pub(super) firewall: &'a facts::Firewall,
    pub(super) scope: Scope,
    /// What kfleet brought to this host, by its record, and what was in its place.
    pub(super) ours: &'a [(FirewallRule, Option<String>)],
    pub(super) wanted: &'a Firewall,
    /// The zone to open ports in.
    pub(super) zone: &'a str,
}

impl FirewallPlan<'_> {
    /// Adds the edits that are needed, and hands back what they need to have recorded.
    pub(super) fn edit(&self, edits: &mut FirewallEdits) -> Vec<Recorded> {
        let left = self.close(edits);
        let mut record = self.open(&left, edits);
        record.append(&mut self.trust(edits));
        record
    }

    /// Closes what kfleet opened and nobody wants any more, and hands back the ports that stay open in the zone.
    fn close(&self, edits: &mut FirewallEdits) -> BTreeSet<String> {
        let zone = zone_of(self.firewall, self.scope, self.zone);
        let mut left = zone.map(|zone| zone.ports.clone()).unwrap_or_default();
        for (rule, before) in self.ours {
            if rule.scope != self.scope
                || self.wants(rule)
                || rule.is_there_among(self.ours, self.firewall) != Some(true)
            {
                continue;
            }
            edits.push(Verb::Remove, rule.clone());
            if rule.zone == self.zone {
                left.remove(&rule.item);
            }
            for item in before.iter().flat_map(|before| before.split(' ')) {
                // Somebody's own port that firewalld melted into kfleet's range; before 1.0 it is still there.
                let theirs = FirewallRule { item: item.to_owned(), ..rule.clone() };
                if theirs.is_there(self.firewall) == Some(false) {
                    edits.push(Verb::Add, theirs);
                    if rule.zone == self.zone {
                        left.insert(item.to_owned());
                    }
                }
            }
        }
        left
    }

    /// Whether the inventory wants it. Interfaces stay where they are until a reset.
    fn wants(&self, rule: &FirewallRule) -> bool {
        match rule.kind {
            RuleKind::Interface => true,
            _ if rule.zone != self.zone => false,
            RuleKind::Port => {
                let wanted = PortSet::new(self.wanted.ports.iter().copied());
                parse(&rule.item).is_some_and(|range| wanted.covers(range))
            }
            RuleKind::Protocol => self.wanted.protocols.contains(&rule.item),
        }
    }

    /// Opens what is wanted beside the ports in `left`.
    fn open(&self, left: &BTreeSet<String>, edits: &mut FirewallEdits) -> Vec<Recorded> {
        let zone = zone_of(self.firewall, self.scope, self.zone);
        let Some(zone) = zone.filter(|zone| !lets_all_through(zone)) else { return Vec::new() };
        let open = PortSet::of_firewalld(left);
        let mut record = Vec::new();
        for range in coalesced(&self.wanted.ports) {
            let protocol = match range.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
            };
            if open.covers(range) || zone.protocols.contains(protocol) {
                continue;
            }
            let rule = self.rule(RuleKind::Port, self.zone, &range.to_string());
            record.push(rule.recorded(self.others_within(range, left)));
            edits.push(Verb::Add, rule);
        }
        for protocol in self.wanted.protocols.iter().filter(|protocol| !zone.protocols.contains(*protocol)) {
            let rule = self.rule(RuleKind::Protocol, self.zone, protocol);
            record.push(rule.recorded(None));
            edits.push(Verb::Add, rule);
        }
        record
    }

    /// Ports that somebody else opened and that firewalld may melt into `range`.
    fn others_within(&self, range: PortRange, open: &BTreeSet<String>) -> Option<String> {
        let is_ours =
            |port: &str| self.ours.iter().any(|(ours, _)| *ours == self.rule(RuleKind::Port, self.zone, port));
        let others: Vec<&str> = open
            .iter()
            .map(String::as_str)
            .filter(|port| parse(port).is_some_and(|other| overlap(range, other)) && !is_ours(port))
            .collect();
        (!others.is_empty()).then(|| others.join(" "))
    }

    /// Puts the pod network's interfaces into zone trusted, unless the zone they are in lets everything through too.
    fn trust(&self, edits: &mut FirewallEdits) -> Vec<Recorded> {
        let mut record = Vec::new();
        for interface in &self.wanted.pod_interfaces {
            let mut zones = zones_of(self.firewall, self.scope).into_iter().flatten();
            let bound = zones.find(|(_, zone)| zone.interfaces.contains(interface));
            if bound.is_some_and(|(name, zone)| name == TRUSTED || lets_all_through(zone)) {
                continue;
            }
            let rule = self.rule(RuleKind::Interface, TRUSTED, interface);
            record.push(rule.recorded(bound.map(|(name, _)| name.clone())));
            edits.push(Verb::Change, rule);
        }
        record
    }

    fn rule(&self, kind: RuleKind, zone: &str, item: &str) -> FirewallRule {
        FirewallRule { kind, zone: zone.to_owned(), item: item.to_owned(), scope: self.scope }
    }
}

fn lets_all_through(zone: &Zone) -> bool {
    zone.target == "ACCEPT"
}
