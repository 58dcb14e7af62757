use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::events::{Event, FailureKind, Reply, ToChange};
use crate::plan::Plan;

use super::foresee;
use super::run::Run;

/// What must be said before a run writes anything.
#[derive(Clone)]
pub enum Approval {
    /// Nothing: whoever started the run wants it.
    Given,
    /// Somebody is asked, where there is anything to change.
    Asked {
        /// The word that must be typed; `None` where a yes will do.
        confirm: Option<String>,
        /// Who is asked.
        who: Arc<dyn Answers>,
    },
}

/// Somebody who answers questions.
#[async_trait]
pub trait Answers: Send + Sync {
    /// The next line that is typed from now on, with or without its end; `None` where there is none.
    async fn line(&self) -> Option<String>;
}

impl Run<'_> {
    /// Whether the plan is to be carried out. An interrupt is no answer, and nobody who has nothing to decide is asked.
    pub(super) async fn approved(&mut self, plan: &Plan) -> bool {
        let changes = self.changes(plan);
        let Approval::Asked { confirm, who } = &self.engine.approval else { return true };
        if changes.is_empty() {
            return true;
        }
        let events = &self.engine.events;
        events.tell(Event::ApprovalAsked { confirm: confirm.clone(), changes });
        let answer = self.engine.interrupt.or(who.line()).await;
        let interrupted = answer.is_none();
        let reply = answer.flatten().map_or(Reply::None, |line| judge(line.trim(), confirm.as_deref()));
        events.tell(Event::ApprovalAnswered { reply });
        if reply != Reply::Yes && !interrupted {
            self.stop(FailureKind::Local);
        }
        reply == Reply::Yes
    }

    /// What the plan would change, host by host in its order.
    fn changes(&self, plan: &Plan) -> Vec<ToChange> {
        let mut changes: Vec<ToChange> = Vec::new();
        let mut places = BTreeMap::new();
        for host in plan.hosts().filter(|host| self.fleet.contains_key(&host.host)) {
            let steps = foresee::changed(host);
            if steps.is_empty() {
                continue;
            }
            let place = *places.entry(&host.host).or_insert_with(|| {
                changes.push(ToChange { host: host.host.clone(), steps: Vec::new() });
                changes.len() - 1
            });
            changes[place].steps.extend(steps);
        }
        changes
    }
}

fn judge(line: &str, confirm: Option<&str>) -> Reply {
    let said = match confirm {
        Some(name) => line == name,
        None => ["y", "yes"].iter().any(|yes| line.eq_ignore_ascii_case(yes)),
    };
    if said { Reply::Yes } else { Reply::No }
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::events::Reply::{No, Yes};

    #[test]
    fn a_yes_is_a_yes_and_a_name_is_that_name() {
        for (line, confirm, reply) in [
            ("y", None, Yes),
            ("YES", None, Yes),
            ("", None, No),
            ("yep", None, No),
            ("lab", Some("lab"), Yes),
            ("Lab", Some("lab"), No),
            ("yes", Some("lab"), No),
            ("", Some("lab"), No),
        ] {
            assert_eq!(judge(line, confirm), reply, "{line:?} {confirm:?}");
        }
    }
}
