use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch::Sender;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::base::Interrupt;
use crate::events::Outcome;
use crate::fanout::{Ended, Fanout, Feed, Running, Telling, command};
use crate::host::{self, Connect};
use crate::nodes::NodeSet;
use crate::ui::command::{Files, Manner, attend, summary};

use super::Exit;
use super::errand::Errand;
use super::exit::complain;
use super::last_failed::LastFailed;
use super::reader::Reader;
use super::signals::Signals;

/// An errand on many hosts at once, shown from its first word to its last.
pub(super) struct FanoutRun<'a> {
    /// How the hosts are called in what is shown.
    pub(super) names: &'a [String],
    /// The same hosts.
    pub(super) hosts: Vec<Arc<dyn Connect>>,
    /// How many are worked on at once.
    pub(super) parallel: usize,
    /// The longest that a host may take.
    pub(super) limit: Option<Duration>,
    /// How it is shown.
    pub(super) manner: Manner,
    /// Where what hosts write is kept in place of being shown.
    pub(super) files: Files,
    /// Where it is kept which hosts fail.
    pub(super) last_failed: &'a LastFailed,
}

/// How an errand ended.
pub(super) enum Came {
    /// On every host for itself, in their order; the summary has been told.
    ToAnEnd(Vec<Ended<host::Exit>>),
    /// Nobody reads what the hosts write any more.
    Unread,
    /// With this, which has been told.
    ToNothing(Exit),
    /// It was left at a second Ctrl-C; these hosts may still be at it, by their places.
    Left(Vec<usize>),
}

type Shown = (Telling, io::Result<Vec<Ended<host::Exit>>>);

impl FanoutRun<'_> {
    /// How long hosts may take to end what nobody waits for any more.
    const ENDING: Duration = Duration::from_secs(5);

    /// Runs it, with `feed` for every host to read on stdin, and keeps where it failed or was not done, however it ends.
    pub(super) async fn drive(
        self,
        errand: Errand,
        feed: Option<Feed>,
        signals: &mut Signals,
        reader: &Reader,
    ) -> Came {
        let (switch, interrupt) = Interrupt::pair();
        let (names, last_failed) = (self.names, self.last_failed);
        let fanout = Fanout { hosts: self.hosts.clone(), parallel: self.parallel, limit: self.limit, interrupt };
        let input = feed.clone();
        let telling = command(fanout, move |_| errand.request(input.as_ref().map(Feed::input)));
        let running = telling.running();
        let came = self.attended(telling, &switch, feed, signals, reader).await;
        last_failed.remember(names, |host| running.is_done(host));
        came
    }

    async fn attended(
        self,
        telling: Telling,
        switch: &Sender<bool>,
        feed: Option<Feed>,
        signals: &mut Signals,
        reader: &Reader,
    ) -> Came {
        let running = telling.running();
        let mut shown = show(telling, self.names.to_vec(), self.manner, self.files);
        let broken = async {
            match &feed {
                Some(feed) => feed.broken().await,
                None => std::future::pending().await,
            }
        };
        let mut interrupted = false;
        let unread = reader.gone();
        tokio::pin!(broken, unread);
        let (telling, result) = loop {
            tokio::select! {
                ended = &mut shown => match ended {
                    Ok(ended) => break ended,
                    Err(bug) => return Came::ToNothing(complain(Exit::Local, &format!("a bug in kfleet: {bug}"))),
                },
                () = signals.next() => {
                    if interrupted {
                        return Came::Left(running.hosts());
                    }
                    interrupted = true;
                    announce(&running, self.names);
                    switch.send_replace(true);
                }
                reason = &mut broken => {
                    switch.send_replace(true);
                    let _ = tokio::time::timeout(Self::ENDING, shown).await;
                    return Came::ToNothing(complain(Exit::Local, &reason));
                }
                () = &mut unread => {
                    switch.send_replace(true);
                    let _ = tokio::time::timeout(Self::ENDING, shown).await;
                    return Came::Unread;
                }
            }
        };
        match result {
            Ok(ends) => {
                let told = summary(self.names, &ends, self.manner.err.colour);
                // Where stderr is gone there is nobody to tell; the exit code still says it.
                let _ = io::Write::write_all(&mut io::stderr(), told.as_bytes());
                Came::ToAnEnd(ends)
            }
            Err(error) => {
                switch.send_replace(true);
                let _ = tokio::time::timeout(Self::ENDING, drained(telling)).await;
                match error.kind() {
                    io::ErrorKind::BrokenPipe => Came::Unread,
                    _ => Came::ToNothing(complain(Exit::Local, &format!("cannot write: {error}"))),
                }
            }
        }
    }
}

/// On a thread of its own, so that a terminal or a pipe that takes nothing keeps only itself waiting.
fn show(mut telling: Telling, names: Vec<String>, manner: Manner, files: Files) -> JoinHandle<Shown> {
    let runtime = Handle::current();
    spawn_blocking(move || {
        let attended = attend(&mut telling, &names, manner, &files, io::stdout(), io::stderr());
        let result = runtime.block_on(attended);
        (telling, result)
    })
}

async fn drained(mut telling: Telling) {
    while telling.next().await.is_some() {}
}

fn announce(running: &Running, names: &[String]) {
    let running: Vec<&str> =
        running.hosts().into_iter().filter_map(|host| names.get(host)).map(String::as_str).collect();
    let what = match running.as_slice() {
        [] => "interrupted".to_owned(),
        running => format!(
            "interrupted; ending what runs on {}, once more leaves at once",
            NodeSet::fold(running.iter().copied())
        ),
    };
    complain(Exit::Run(Outcome::Failed(crate::events::FailureKind::Deadline)), &what);
}
