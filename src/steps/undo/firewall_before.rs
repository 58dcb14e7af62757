use crate::facts::{self, Facts, Wanted};
use crate::steps::difference::Difference;
use crate::steps::firewall::unknown;
use crate::steps::firewall_edits::{FirewallEdits, Verb};
use crate::steps::firewall_rule::{FirewallRule, RuleKind, Scope};
use crate::steps::refusal::Refusal;
use crate::steps::{Change, Record, Step};

/// firewalld lets through what it did before kfleet: what the record names is closed, in force and permanently, and what it
/// stands in place of is open again. Everything else is somebody else's and stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct FirewallBefore;

impl FirewallBefore {
    fn difference(facts: &Facts) -> Result<Change, Refusal> {
        let record = Record::of(facts)?;
        let ours: Vec<_> = record.entries().filter_map(|entry| FirewallRule::of_record(&entry)).collect();
        let is_kept = ours.iter().any(|(rule, _)| rule.scope == Scope::Permanent);
        match &facts.firewall {
            _ if ours.is_empty() => return Ok(Change::none("nothing in it is kfleet's")),
            facts::Firewall::Absent => return Ok(Change::none("firewalld is not installed any more")),
            facts::Firewall::Stopped if is_kept => return Err(stopped()),
            facts::Firewall::Stopped => return Ok(Change::none("firewalld does not run any more")),
            facts::Firewall::Unknown { reason } => return Err(unknown(reason)),
            facts::Firewall::Running { .. } => {}
        }
        let mut edits = FirewallEdits::default();
        let is_there =
            |(rule, _): &&(FirewallRule, Option<String>)| rule.is_there_among(&ours, &facts.firewall) == Some(true);
        for (rule, before) in ours.iter().filter(is_there) {
            match (rule.kind, before) {
                (RuleKind::Interface, Some(zone)) => {
                    edits.push(Verb::Change, FirewallRule { zone: zone.clone(), ..rule.clone() });
                }
                (RuleKind::Interface, None) => edits.push(Verb::Remove, rule.clone()),
                (RuleKind::Port | RuleKind::Protocol, _) => {
                    edits.push(Verb::Remove, rule.clone());
                    for item in before.iter().flat_map(|before| before.split(' ')) {
                        // Somebody's own port that firewalld melted into kfleet's range; before 1.0 it is still there.
                        let theirs = FirewallRule { item: item.to_owned(), ..rule.clone() };
                        if theirs.is_there(&facts.firewall) == Some(false) {
                            edits.push(Verb::Add, theirs);
                        }
                    }
                }
            }
        }
        let change = Difference { diff: edits.diff(), actions: edits.actions(), ..Difference::default() };
        Ok(change.or_none("what kfleet opened is closed"))
    }
}

impl Step for FirewallBefore {
    fn name(&self) -> &'static str {
        "firewall"
    }

    fn probe(&self) -> Wanted {
        Record::wanted()
    }

    fn plan(&self, facts: &Facts) -> Change {
        Self::difference(facts).unwrap_or_else(Change::from)
    }
}

fn stopped() -> Refusal {
    Refusal {
        reason: "firewalld does not run, and what it will let through after its next start is in part kfleet's"
            .to_owned(),
        hint: "start it for as long as this takes, by `systemctl start firewalld`, and stop it afterwards".to_owned(),
    }
}
