use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use crate::cluster::JoinGrant;
use crate::events::{Event, Failure, Tally};
use crate::plan::{HostPlan, Planned};
use crate::steps::{Action, Change, RunScript, Yields};

use super::grant::{Counter, Office};
use super::pulse::Pulse;
use super::session::Session;
use super::{StateDir, apply, failure};
use crate::base::Interrupt;

/// One host's way through its part of the plan.
pub struct Drive {
    /// Its connection.
    pub session: Session,
    /// Where it stands towards the join grant.
    pub desk: Desk,
    /// Ctrl-C: no stage begins after it.
    pub interrupt: Interrupt,
    /// When the host of the lock was last heard of, where there is a lock.
    pub pulse: Option<Pulse>,
    /// Where the kubeconfig is kept.
    pub state: StateDir,
    /// The cluster's CA, where it was known before the run; what a grant says is held against it.
    pub ca: Option<String>,
}

/// Where a host stands towards the join grant.
pub enum Desk {
    /// The control plane.
    Gives(Office),
    /// A worker that is to join.
    Takes(Counter),
    /// A host that neither has nor needs one.
    Neither,
}

impl Drive {
    /// Goes through the stages in order; the first failure ends the way.
    pub async fn go(mut self, plan: &HostPlan) -> Tally {
        let since = Instant::now();
        let mut tally = Tally::default();
        for (index, stage) in plan.stages.iter().enumerate() {
            let record = plan.record.as_ref().filter(|_| index == 0);
            let steps: Vec<&Planned> = record.into_iter().chain(&stage.steps).collect();
            if let Err(failure) = self.stage(&steps, stage.needs_grant()).await {
                self.session.tell(Event::HostFailed { host: plan.host.clone(), failure: failure.clone() });
                if let Desk::Gives(office) = &self.desk {
                    office.withhold(&format!("{} failed", plan.host));
                }
                tally.failure = Some(failure);
                break;
            }
            for planned in stage.steps.iter().filter(|planned| !planned.passing) {
                match planned.change {
                    Change::Some { .. } => tally.changed.push(planned.step.to_owned()),
                    Change::None { .. } | Change::Refused { .. } => tally.unchanged += 1,
                }
            }
        }
        if let Desk::Gives(office) = &mut self.desk {
            office.withhold(&format!("{} had none to give", plan.host));
            if let Some(grant) = office.given() {
                office.all_served().await;
                revoke(&self.session, &grant).await;
            }
        }
        tally.took = since.elapsed();
        tally
    }

    async fn stage(&mut self, steps: &[&Planned], needs_grant: bool) -> Result<(), Failure> {
        apply::tell_unchanged(&self.session, steps);
        let first = steps.iter().find(|planned| !planned.change.actions().is_empty());
        let Some(step) = first.map(|planned| planned.step) else { return Ok(()) };
        let interrupted = || failure::of_interrupt(Some(step));
        let grant = match &mut self.desk {
            Desk::Takes(counter) if needs_grant => {
                let collected = self.interrupt.or(counter.collect()).await.ok_or_else(interrupted)?;
                Some(collected.map_err(|reason| failure::of_step(step, &format!("not joined: {reason}")))?)
            }
            _ => None,
        };
        let turn = self.interrupt.or(self.session.turn()).await.ok_or_else(interrupted)?;
        // After this machine's sleep, and before the lock is told to be lost.
        if self.pulse.as_ref().is_some_and(Pulse::is_doubtful) {
            return Err(interrupted());
        }
        for (yields, value) in apply::actions(&self.session, &turn, steps, grant.as_deref()).await? {
            match yields {
                Yields::JoinGrant => self.give(&value)?,
                Yields::AdminKubeconfig => self.save(&value)?,
            }
        }
        Ok(())
    }

    /// Holds the grant against the cluster's CA before any worker sees it.
    fn give(&self, output: &SecretString) -> Result<(), Failure> {
        let fail = |reason: String| failure::of_step("join-grant", &reason);
        let text = output.expose_secret();
        let grant = JoinGrant::parse(text).map_err(|error| fail(error.to_string()))?;
        let printed = certificate(text).ok_or_else(|| fail("the host did not show its CA certificate".to_owned()))?;
        grant.verify(self.ca.as_deref().unwrap_or(printed)).map_err(|error| fail(error.to_string()))?;
        if let Desk::Gives(office) = &self.desk {
            office.give(grant);
        }
        Ok(())
    }

    fn save(&self, kubeconfig: &SecretString) -> Result<(), Failure> {
        let saved = self.state.save(StateDir::KUBECONFIG, kubeconfig);
        let path = saved.map_err(|error| failure::of_workstation(&format!("cannot save the kubeconfig: {error}")))?;
        self.session.tell(Event::FileSaved { what: "kubeconfig".to_owned(), path });
        Ok(())
    }
}

/// The PEM certificate in a text.
fn certificate(text: &str) -> Option<&str> {
    const END: &str = "-----END CERTIFICATE-----";
    let from = text.find("-----BEGIN CERTIFICATE-----")?;
    let to = text[from..].find(END)?;
    Some(&text[from..from + to + END.len()])
}

/// Takes the grant's token back, by its id: the token itself is in nobody's argv.
async fn revoke(session: &Session, grant: &JoinGrant) {
    let command = format!("kubeadm token delete {}", grant.token_id());
    let script = format!("{command} --kubeconfig /etc/kubernetes/admin.conf");
    let action = Action::Run(RunScript { command: command.clone(), script, deadline: Duration::from_secs(20) });
    let change = Change::Some { diff: Vec::new(), actions: vec![action], record: Vec::new() };
    let planned = Planned { step: "join-grant", change, passing: true };
    let turn = session.turn().await;
    if let Err(failure) = apply::actions(session, &turn, &[&planned], None).await {
        // The cluster is none the worse for it: the token is short-lived. But it must be known.
        session.tell(Event::ProblemFound {
            host: Some(session.name().to_owned()),
            severity: crate::events::Severity::Warning,
            check: "join-grant".to_owned(),
            reason: format!("the join token was not revoked: {}", failure.reason),
            hint: Some(format!("it expires by itself within half an hour; or run `{command}` there")),
        });
    }
}
