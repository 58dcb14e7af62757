use crate::facts::{self, Zone};
use crate::inventory::{PortRange, Protocol};

use super::firewall_edits::{FirewallEdits, Verb};
use super::firewall_rule::{FirewallRule, RuleKind, Scope, zones_of};
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
        let closed = self.close(edits);
        let mut record = self.open(&closed, edits);
        record.append(&mut self.trust(edits));
        record
    }

    /// Closes what kfleet opened and nobody wants any more, and hands it back.
    fn close(&self, edits: &mut FirewallEdits) -> Vec<&FirewallRule> {
        let (mut closed, mut reopened) = (Vec::new(), Vec::new());
        for (rule, before) in self.ours {
            if rule.scope == self.scope && !self.wants(rule) && rule.is_there(self.firewall) == Some(true) {
                edits.push(Verb::Remove, rule.clone());
                closed.push(rule);
                let before = before.iter().flat_map(|before| before.split(' '));
                reopened.extend(before.map(|item| FirewallRule { item: item.to_owned(), ..rule.clone() }));
            }
        }
        for rule in reopened {
            // Somebody's own port that firewalld melted into kfleet's range; elsewhere it is still there.
            if rule.is_there(self.firewall) == Some(false) && !self.wants(&rule) {
                edits.push(Verb::Add, rule);
            }
        }
        closed
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

    /// Opens what is wanted and not open once `closed` is closed.
    fn open(&self, closed: &[&FirewallRule], edits: &mut FirewallEdits) -> Vec<Recorded> {
        let zones = zones_of(self.firewall, self.scope);
        let Some(zone) = zones.and_then(|zones| zones.get(self.zone)).filter(|zone| !lets_all_through(zone)) else {
            return Vec::new();
        };
        let is_closed = |item: &String| closed.iter().any(|rule| rule.zone == self.zone && rule.item == *item);
        let left: Vec<&String> = zone.ports.iter().filter(|port| !is_closed(port)).collect();
        let open = PortSet::of_firewalld(left.iter().copied());
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
            record.push(rule.recorded(self.others_within(range, &left)));
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
    fn others_within(&self, range: PortRange, open: &[&String]) -> Option<String> {
        let is_ours =
            |port: &str| self.ours.iter().any(|(ours, _)| *ours == self.rule(RuleKind::Port, self.zone, port));
        let others: Vec<&str> = open
            .iter()
            .map(|port| port.as_str())
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
