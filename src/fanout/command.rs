use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::spool::Spool;
use super::{Ended, Fanout, Miss};
use crate::base::spool_dir;
use crate::host::{Exit, Host, HostError, Request, Stream};

/// What is told of a command that runs on many hosts.
#[derive(Debug)]
pub enum Told {
    /// A host wrote something. Each stream's bytes come in order; pieces end where they end, not at lines.
    Output {
        /// Its place among [`Fanout::hosts`].
        host: usize,
        /// Where it wrote to.
        stream: Stream,
        /// What, at most 64 KiB.
        bytes: Bytes,
    },
    /// A host ended; everything that it wrote has been told before.
    Ended(Ended<Exit>),
}

/// Runs `request(host)` on every host, and tells of it as it comes.
///
/// Hosts never wait for whoever listens: what is not taken yet is kept, a little of it in memory and the rest in temporary
/// files. Each host is told of exactly once as ended. To be called within tokio's runtime.
pub fn command(fanout: Fanout, request: impl Fn(usize) -> Request + Send + Sync + 'static) -> Telling {
    let count = fanout.hosts.len();
    let memory = (Desk::ALL_MEMORY / count.max(1)).clamp(Desk::LEAST_MEMORY, Desk::MOST_MEMORY);
    let desks: Arc<[Desk]> = (0..count).map(|_| Desk::new(memory)).collect();
    let (bell, bells) = unbounded_channel();
    let running = Running::default();
    let telling =
        Telling { desks: Arc::clone(&desks), bells, turns: VecDeque::new(), left: count, running: running.clone() };
    let request = Arc::new(request);
    tokio::spawn(async move {
        let work = {
            let (desks, bell, running) = (Arc::clone(&desks), bell.clone(), running.clone());
            move |host: usize, connected: Arc<dyn Host>| {
                let (desks, bell, running, request) =
                    (Arc::clone(&desks), bell.clone(), running.clone(), Arc::clone(&request));
                async move {
                    running.lock().hosts.insert(host);
                    one(&desks[host], host, &bell, &*connected, request(host)).await
                }
            }
        };
        let ended = |Ended { host, result, took }: Ended<Result<Exit, String>>| {
            let result = result.and_then(|ran| ran.map_err(Miss::Local));
            let ended = Ended { host, result, took };
            let mut at_it = running.lock();
            at_it.hosts.remove(&host);
            if ended.failure().is_none() {
                at_it.well.insert(host);
            }
            drop(at_it);
            desks[host].end(ended, &bell);
        };
        fanout.drive(work, ended).await;
    });
    telling
}

/// Runs a command on one host; the inner error is of this machine.
async fn one(
    desk: &Desk,
    host: usize,
    bell: &UnboundedSender<usize>,
    connected: &dyn Host,
    request: Request,
) -> Result<Result<Exit, String>, HostError> {
    let broken = Notify::new();
    let mut output = |stream, bytes: &[u8]| {
        if !desk.put(stream, bytes, host, bell) {
            broken.notify_one();
        }
    };
    let exit = tokio::select! {
        () = broken.notified() => Ok(None),
        exit = connected.exec(request, &mut output) => exit.map(Some),
    };
    let state = desk.lock();
    match (&state.broken, exit) {
        (Some(reason), _) => Ok(Err(reason.clone())),
        (None, Ok(Some(exit))) => Ok(Ok(exit)),
        (None, Ok(None)) => Ok(Err("its output could not be kept".to_owned())),
        (None, Err(error)) => Err(error),
    }
}

/// Where one host's words wait to be told.
struct Desk(Mutex<State>);

struct State {
    spool: Spool,
    /// Told once the spool is empty.
    ended: Option<Ended<Exit>>,
    /// Why the spool is of no use any more.
    broken: Option<String>,
    /// Whether the bell was rung and not answered yet.
    rung: bool,
}

impl Desk {
    /// For all hosts together, where they are not very many; in bytes.
    const ALL_MEMORY: usize = 32 << 20;
    const LEAST_MEMORY: usize = 16 << 10;
    const MOST_MEMORY: usize = 1 << 20;

    fn new(memory: usize) -> Self {
        Self(Mutex::new(State { spool: Spool::new(memory), ended: None, broken: None, rung: false }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what the host wrote could be kept.
    fn put(&self, stream: Stream, bytes: &[u8], host: usize, bell: &UnboundedSender<usize>) -> bool {
        let mut state = self.lock();
        if state.broken.is_none()
            && let Err(error) = state.spool.put(stream, bytes)
        {
            state.broken = Some(format!("its output could not be kept in {}: {error}", spool_dir().display()));
        }
        state.ring(host, bell);
        state.broken.is_none()
    }

    fn end(&self, ended: Ended<Exit>, bell: &UnboundedSender<usize>) {
        let mut state = self.lock();
        let host = ended.host;
        state.ended = Some(ended);
        state.ring(host, bell);
    }

    /// The next piece or the end, and whether there is more.
    fn tell(&self, host: usize) -> (Option<Told>, bool) {
        let mut state = self.lock();
        let told = match state.spool.take() {
            Ok(Some((stream, bytes))) => Some(Told::Output { host, stream, bytes }),
            Ok(None) => state.ended.take().map(Told::Ended),
            Err(error) => {
                let reason = format!("its output could not be read back from {}: {error}", spool_dir().display());
                state.spool = Spool::new(0);
                if let Some(ended) = &mut state.ended {
                    ended.result = Err(Miss::Local(reason.clone()));
                }
                state.broken = Some(reason);
                None
            }
        };
        let more = !state.spool.is_empty() || state.ended.is_some();
        state.rung = more;
        (told, more)
    }
}

impl State {
    fn ring(&mut self, host: usize, bell: &UnboundedSender<usize>) {
        if !self.rung {
            self.rung = true;
            // Nobody may be listening any more.
            let _ = bell.send(host);
        }
    }
}

/// What the hosts say, for one who listens.
pub struct Telling {
    desks: Arc<[Desk]>,
    /// Hosts that have something to tell again.
    bells: UnboundedReceiver<usize>,
    /// Hosts with something to tell, each once, in the order of their turns.
    turns: VecDeque<usize>,
    /// Hosts that have not been told of as ended.
    left: usize,
    running: Running,
}

impl Telling {
    /// The next to be told; `None` when every host has ended. Hosts with much to tell take turns.
    pub async fn next(&mut self) -> Option<Told> {
        while self.left > 0 {
            while let Ok(host) = self.bells.try_recv() {
                self.turns.push_back(host);
            }
            let host = match self.turns.pop_front() {
                Some(host) => host,
                None => self.bells.recv().await?,
            };
            let (told, more) = self.desks.get(host)?.tell(host);
            if more {
                self.turns.push_back(host);
            }
            if let Some(Told::Ended(_)) = &told {
                self.left -= 1;
            }
            if told.is_some() {
                return told;
            }
        }
        None
    }

    /// Which hosts the command runs on, for as long as anybody wants to know.
    #[must_use]
    pub fn running(&self) -> Running {
        self.running.clone()
    }
}

/// The hosts that a command runs on at this moment.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<AtIt>>);

#[derive(Debug, Default)]
struct AtIt {
    hosts: BTreeSet<usize>,
    /// Those on which it ended well.
    well: BTreeSet<usize>,
}

impl Running {
    /// Their places among [`Fanout::hosts`], in order.
    #[must_use]
    pub fn hosts(&self) -> Vec<usize> {
        self.lock().hosts.iter().copied().collect()
    }

    /// Whether it ended well on a host.
    #[must_use]
    pub fn is_done(&self, host: usize) -> bool {
        self.lock().well.contains(&host)
    }

    fn lock(&self) -> MutexGuard<'_, AtIt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Telling, Told, command};
    use crate::base::Interrupt;
    use crate::fanout::{Ended, Fanout, Miss};
    use crate::host::memory::MemoryHost;
    use crate::host::{Connect, Exit, HostError, Request};

    fn tell(hosts: Vec<MemoryHost>) -> Telling {
        let hosts = hosts.into_iter().map(|host| Arc::new(host) as Arc<dyn Connect>).collect();
        let fanout = Fanout { hosts, parallel: 8, limit: None, interrupt: Interrupt::pair().1 };
        command(fanout, |host| Request::line(&format!("number {host}")))
    }

    #[tokio::test]
    async fn all_is_told_before_the_end_and_hosts_take_turns() {
        let lost = HostError::Lost { reason: "gone".to_owned() };
        let much = |name| MemoryHost::new(name, |line| Ok((line.repeat(1_000_000), Exit::Status(3))));
        let mut telling = tell(vec![
            much("a"),
            much("b"),
            MemoryHost::new("c", |_| Err(HostError::Lost { reason: "broke".to_owned() })),
            much("d").refusing(lost.clone()),
        ]);
        let mut wrote = [0; 4];
        let mut in_a_row: Vec<usize> = Vec::new();
        let mut ends = Vec::new();
        // All have begun before anything is taken.
        while telling.bells.len() < 4 {
            tokio::task::yield_now().await;
        }
        while let Some(told) = telling.next().await {
            match told {
                Told::Output { host, bytes, .. } => {
                    wrote[host] += bytes.len();
                    in_a_row.push(host);
                }
                Told::Ended(Ended { host, result, .. }) => {
                    assert!(host > 1 || wrote[host] == 8_000_000);
                    ends.push((host, result));
                }
            }
        }
        assert!(in_a_row.windows(3).any(|turns| turns == [0, 1, 0]), "{in_a_row:?}");
        ends.sort_by_key(|(host, _)| *host);
        let broke = HostError::Lost { reason: "broke".to_owned() };
        assert_eq!(
            ends,
            [
                (0, Ok(Exit::Status(3))),
                (1, Ok(Exit::Status(3))),
                (2, Err(Miss::Host(broke))),
                (3, Err(Miss::Host(lost)))
            ]
        );
        assert!(telling.next().await.is_none());
    }
}
