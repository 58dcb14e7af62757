use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::driving::{engine, host};
use super::shell_host::{Bench, run, step};
use crate::base::Interrupt;
use crate::engine::run::Run;
use crate::engine::{Answers, Approval, Engine, Report};
use crate::events::{FailureKind, Outcome};
use crate::facts::Facts;
use crate::plan::{Plan, Planned, Wave};
use crate::steps::Change;

/// Says this, each time it is asked.
struct Says {
    line: Option<&'static str>,
    asked: AtomicUsize,
}

#[async_trait]
impl Answers for Says {
    async fn line(&self) -> Option<String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.line {
            Some("…") => std::future::pending().await,
            line => line.map(|line| format!("{line}\n")),
        }
    }
}

fn says(line: Option<&'static str>) -> Arc<Says> {
    Arc::new(Says { line, asked: AtomicUsize::new(0) })
}

/// Whether the plan for h1 was carried out, where it is asked for like this, and what the run came to.
async fn asked(bench: &Bench, interrupt: Interrupt, approval: Approval, steps: Vec<Planned>) -> Report {
    let engine = Engine { approval, ..engine(bench, interrupt) };
    let mut under_way = Run::new(&engine);
    under_way.sessions.insert("h1".to_owned(), bench.session("h1"));
    under_way.fleet.insert("h1".to_owned(), Facts::default());
    let plan = Plan { waves: vec![Wave::of(vec![host("h1", steps, vec![])])], ca: None };
    if under_way.approved(&plan).await {
        under_way.apply(plan).await;
    }
    under_way.report(&["h1".to_owned()])
}

fn work() -> Planned {
    step("base", vec![run("echo done >> work")])
}

#[tokio::test]
async fn only_what_was_asked_for_goes_on() {
    for (confirm, line, goes_on) in [
        (None, Some("y"), true),
        (None, Some("yes"), true),
        (None, Some(""), false),
        (None, Some("n"), false),
        (None, None, false),
        (Some("lab"), Some("lab"), true),
        (Some("lab"), Some("y"), false),
    ] {
        let mut bench = Bench::new(1);
        let approval = Approval::Asked { confirm: confirm.map(str::to_owned), who: says(line) };
        let report = asked(&bench, Interrupt::pair().1, approval, vec![work()]).await;
        let outcome = if goes_on { Outcome::Succeeded } else { Outcome::Failed(FailureKind::Local) };
        assert_eq!((report.outcome, bench.read("work").is_some()), (outcome, goes_on), "{confirm:?} {line:?}");
        assert_eq!(bench.told()[..2], ["approval-asked", "approval-answered"]);
    }
}

#[tokio::test]
async fn with_nothing_to_change_nobody_is_asked() {
    let unchanged = Planned { step: "base", change: Change::none("as wanted"), passing: false };
    let passing = Planned { passing: true, ..work() };
    let who = says(Some("n"));
    let approval = Approval::Asked { confirm: None, who: Arc::clone(&who) as Arc<dyn Answers> };
    let bench = Bench::new(1);
    let report = asked(&bench, Interrupt::pair().1, approval, vec![unchanged, passing]).await;
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(who.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn ctrl_c_is_no_answer_and_ends_the_wait() {
    let bench = Bench::new(1);
    let (switch, interrupt) = Interrupt::pair();
    let approval = Approval::Asked { confirm: None, who: says(Some("…")) };
    let ended = asked(&bench, interrupt, approval, vec![work()]);
    let (report, ()) = tokio::join!(ended, async { _ = switch.send_replace(true) });
    assert_eq!(report.outcome, Outcome::Failed(FailureKind::Deadline));
    assert_eq!(bench.read("work"), None);
}
