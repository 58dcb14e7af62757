use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::facts::{Firewall, Zone};
use crate::inventory::PortRange;

use super::Recorded;
use super::port_set::{coalesced, parse, within};

/// One thing that a zone of firewalld has, as the record names it: `public 6443/tcp runtime`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FirewallRule {
    pub(super) kind: RuleKind,
    pub(super) zone: String,
    /// `6443/tcp`, `ipip`, `cni0`.
    pub(super) item: String,
    pub(super) scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RuleKind {
    Port,
    Protocol,
    Interface,
}

/// firewalld has each rule twice: what is in force, and what will be after its next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Runtime,
    Permanent,
}

impl RuleKind {
    /// The end of firewall-cmd's options, as in `--add-port`.
    pub(super) const fn option(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Protocol => "protocol",
            Self::Interface => "interface",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runtime => "runtime",
            Self::Permanent => "permanent",
        })
    }
}

impl FirewallRule {
    /// Reads an entry of the record, with what was there before; `None` where it is about something else.
    pub(super) fn of_record(entry: &Recorded) -> Option<(Self, Option<String>)> {
        Some((Self::parse(&entry.kind, &entry.item)?, entry.before.clone()))
    }

    /// Reads an entry's kind and item.
    pub(super) fn parse(kind: &str, item: &str) -> Option<Self> {
        let kind = match kind {
            "firewall-port" => RuleKind::Port,
            "firewall-protocol" => RuleKind::Protocol,
            "firewall-interface" => RuleKind::Interface,
            _ => return None,
        };
        let mut parts = item.split(' ');
        let (zone, item, scope) = (parts.next()?.to_owned(), parts.next()?.to_owned(), parts.next()?);
        let scope = match scope {
            "runtime" => Scope::Runtime,
            "permanent" => Scope::Permanent,
            _ => return None,
        };
        Some(Self { kind, zone, item, scope })
    }

    /// As an entry of the record.
    pub(super) fn recorded(&self, before: Option<String>) -> Recorded {
        Recorded {
            kind: format!("firewall-{}", self.kind.option()),
            item: format!("{} {} {}", self.zone, self.item, self.scope),
            before,
        }
    }

    /// Whether firewalld has it, in just these words; `None` where that cannot be told.
    pub(super) fn is_there(&self, firewall: &Firewall) -> Option<bool> {
        self.is_there_among(&[], firewall)
    }

    /// Whether firewalld has it, in just these words or, from 1.0 on, melted with what of `ours` and of what was there before them
    /// it overlaps; `None` where that cannot be told.
    pub(super) fn is_there_among(&self, ours: &[(Self, Option<String>)], firewall: &Firewall) -> Option<bool> {
        let zone = zone_of(firewall, self.scope, &self.zone)?;
        Some(match self.kind {
            RuleKind::Port => zone.ports.contains(&self.item) || self.is_melted(ours, &zone.ports),
            RuleKind::Protocol => zone.protocols.contains(&self.item),
            RuleKind::Interface => zone.interfaces.contains(&self.item),
        })
    }
}

impl FirewallRule {
    /// Whether one of the `open` ranges is made of this one and of others in `ours`, and of nothing else: what somebody else has
    /// opened around it is theirs. One that lies within another of `ours` is no part of it any more.
    fn is_melted(&self, ours: &[(Self, Option<String>)], open: &BTreeSet<String>) -> bool {
        let Some(own) = parse(&self.item) else { return false };
        let of_zone =
            ours.iter().filter(|(rule, _)| (rule.kind, rule.scope, &rule.zone) == (self.kind, self.scope, &self.zone));
        let (mut parts, mut before) = (vec![own], Vec::new());
        for (rule, others) in of_zone {
            parts.extend(parse(&rule.item));
            before.extend(others.iter().flat_map(|others| others.split(' ')).filter_map(parse));
        }
        if parts.iter().any(|part| *part != own && within(own, *part)) {
            return false;
        }
        parts.append(&mut before);
        open.iter().filter_map(|port| parse(port)).filter(|open| within(own, *open)).any(|open| {
            let inside: Vec<PortRange> = parts.iter().copied().filter(|part| within(*part, open)).collect();
            coalesced(&inside) == [open]
        })
    }
}

/// A zone as it is in force or as it will be; `None` where firewalld does not run or the zone was not told.
pub(super) fn zone_of<'a>(firewall: &'a Firewall, scope: Scope, zone: &str) -> Option<&'a Zone> {
    zones_of(firewall, scope)?.get(zone)
}

/// All zones that were told.
pub(super) fn zones_of(firewall: &Firewall, scope: Scope) -> Option<&BTreeMap<String, Zone>> {
    let Firewall::Running { runtime, permanent, .. } = firewall else { return None };
    Some(match scope {
        Scope::Runtime => runtime,
        Scope::Permanent => permanent,
    })
}
