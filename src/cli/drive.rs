use std::io;
use std::sync::Arc;
use std::time::Duration;

use etcetera::BaseStrategy;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::base::Interrupt;
use crate::engine::{Approval, Engine, Goal, Report, StateDir};
use crate::events::{Events, FailureKind, Outcome, channel};
use crate::host::Connect;
use crate::journal::{Journal, Recorder};
use crate::plan::Recipe;
use crate::ui::{Look, show};

use super::Exit;
use super::exit::complain;

/// A run that a command asks for: over which hosts, and how.
pub(super) struct Run {
    /// In inventory order.
    pub(super) hosts: Vec<Arc<dyn Connect>>,
    /// How many are worked on at once.
    pub(super) parallel: usize,
    /// The cluster's name.
    pub(super) cluster: String,
    /// How far it goes.
    pub(super) goal: Goal,
    /// What must be said before anything is written.
    pub(super) approval: Approval,
    /// Where its files are kept.
    pub(super) state: StateDir,
}

impl Run {
    /// Drives the hosts by a recipe and shows it, until the end or a second Ctrl-C.
    pub(super) async fn drive(self, recipe: &dyn Recipe, look: Look) -> Result<Report, Exit> {
        let (events, told) = channel();
        let (switch, interrupt) = Interrupt::pair();
        let shown = tokio::spawn(show(told, look, io::stdout(), io::stderr()));
        let events = recorded(&self.state, events);
        let engine = Engine {
            goal: self.goal,
            approval: self.approval,
            hosts: self.hosts,
            events,
            interrupt,
            parallel: self.parallel,
            state: self.state,
        };
        let report = tokio::select! {
            report = engine.run(recipe, &self.cluster) => Some(report),
            () = twice(switch) => None,
        };
        // The last sink goes with the engine: the face writes what it still has, and ends.
        drop(engine);
        let Some(report) = report else {
            // What it still has to write is written at once; whoever presses Ctrl-C twice waits for nothing else.
            let _ = tokio::time::timeout(Duration::from_secs(1), shown).await;
            return Err(complain(
                Exit::Run(Outcome::Failed(FailureKind::Deadline)),
                "left at once; what runs on the hosts by itself goes on, and the same command finds it again",
            ));
        };
        match shown.await {
            Ok(Ok(())) => Ok(report),
            Ok(Err(error)) => Err(complain(Exit::Local, &format!("cannot write: {error}"))),
            Err(error) => Err(complain(Exit::Local, &format!("a bug in kfleet: {error}"))),
        }
    }
}

/// The same sink, and a record of the run; where none can be made, the run goes on without.
fn recorded(state: &StateDir, events: Events) -> Events {
    match Journal::at(state.path(StateDir::RUNS)).begin() {
        Ok(file) => Arc::new(Recorder::new(file, events)),
        Err(error) => {
            let directory = state.path(StateDir::RUNS);
            complain(Exit::Local, &format!("this run is not recorded: {}: {error}", directory.display()));
            events
        }
    }
}

/// Throws the switch at the first Ctrl-C or SIGTERM, and returns at the second.
async fn twice(switch: watch::Sender<bool>) {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        // Without handlers the system ends the program at the first one.
        return std::future::pending().await;
    };
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        switch.send_replace(true);
    }
}

/// Where this machine keeps what belongs to a cluster.
pub(super) fn state_dir(cluster: &str) -> Result<StateDir, String> {
    let base = etcetera::choose_base_strategy().map_err(|error| format!("cannot tell where your home is: {error}"))?;
    let state = base.state_dir().unwrap_or_else(|| base.data_dir());
    Ok(StateDir::at(state.join("kfleet").join(cluster)))
}
