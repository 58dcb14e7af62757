use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::base::Interrupt;
use crate::events::FailureKind;
use crate::host::{Connect, Exit, Host, HostError};

/// Many hosts, each of which is dialled, worked on and left again.
pub struct Fanout {
    /// The hosts in the order they were named; one that is named twice is worked on twice.
    pub hosts: Vec<Arc<dyn Connect>>,
    /// How many are worked on at once.
    pub parallel: usize,
    /// The longest that one host may take, from its first packet to its last.
    pub limit: Option<Duration>,
    /// Ctrl-C.
    pub interrupt: Interrupt,
}

/// How the work on one host ended.
#[derive(Debug)]
pub struct Ended<T> {
    /// Its place among [`Fanout::hosts`], from 0.
    pub host: usize,
    /// What the work came to.
    pub result: Result<T, Miss>,
    /// From its first packet to its last.
    pub took: Duration,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Miss {
    /// The host could not be reached, verified, authenticated or heard to the end.
    #[error("{0}")]
    Host(HostError),
    /// The time it had was over.
    #[error("not done within {} s", .0.as_secs_f64())]
    TooLong(Duration),
    /// Ctrl-C came first.
    #[error("interrupted")]
    Interrupted,
    /// Something on this machine stood in the way.
    #[error("{0}")]
    Local(String),
    /// The work panicked.
    #[error("a bug in kfleet: {0}")]
    Bug(String),
}

impl Miss {
    /// What the exit code tells apart.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::TooLong(_) | Self::Interrupted | Self::Host(HostError::Deadline { .. }) => FailureKind::Deadline,
            Self::Host(_) => FailureKind::Unreachable,
            Self::Local(_) | Self::Bug(_) => FailureKind::Local,
        }
    }
}

impl Ended<Exit> {
    /// What the exit code tells apart; `None` where all went well.
    #[must_use]
    pub fn failure(&self) -> Option<FailureKind> {
        match &self.result {
            Ok(exit) => (!exit.success()).then_some(FailureKind::Step),
            Err(miss) => Some(miss.kind()),
        }
    }
}

impl Fanout {
    /// Does `work` on every host, and tells `ended` of each as it ends. What is given up is ended on the host, too, before its
    /// end is told.
    ///
    /// `work` gets the host's place and its connection, and does not close it.
    pub async fn drive<T, W, F>(&self, work: W, mut ended: impl FnMut(Ended<T>))
    where
        T: Send + 'static,
        W: Fn(usize, Arc<dyn Host>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<T, HostError>> + Send + 'static,
    {
        let places = Arc::new(Semaphore::new(self.parallel));
        let mut tasks = JoinSet::new();
        let mut of_task = HashMap::new();
        let mut waiting = self.hosts.iter().enumerate();
        let mut next = waiting.next();
        loop {
            // Hosts are begun in their order: the next one waits here for its place, and no other.
            tokio::select! {
                biased;
                () = self.interrupt.wait(), if next.is_some() => {
                    for (host, _) in next.take().into_iter().chain(waiting.by_ref()) {
                        ended(Ended { host, result: Err(Miss::Interrupted), took: Duration::ZERO });
                    }
                }
                place = Arc::clone(&places).acquire_owned(), if next.is_some() => {
                    let Some((index, host)) = next.take() else { continue };
                    next = waiting.next();
                    let (host, work) = (Arc::clone(host), work.clone());
                    let (interrupt, limit) = (self.interrupt.clone(), self.limit);
                    let task = tasks.spawn(async move {
                        let _place = place;
                        let allowed = Allowed { interrupt, since: Instant::now(), limit };
                        one(index, &*host, work, &allowed).await
                    });
                    of_task.insert(task.id(), index);
                }
                Some(joined) = tasks.join_next_with_id() => {
                    let (id, (result, took)) = match joined {
                        Ok(joined) => joined,
                        Err(error) => (error.id(), (Err(Miss::Bug(error.to_string())), Duration::ZERO)),
                    };
                    let host = of_task.remove(&id).unwrap_or_default();
                    ended(Ended { host, result, took });
                }
                else => return,
            }
        }
    }
}

async fn one<T, W, F>(index: usize, host: &dyn Connect, work: W, allowed: &Allowed) -> (Result<T, Miss>, Duration)
where
    W: Fn(usize, Arc<dyn Host>) -> F,
    F: Future<Output = Result<T, HostError>>,
{
    let connected = match allowed.within(host.connect()).await {
        Ok(connected) => connected,
        Err(miss) => return (Err(miss), allowed.since.elapsed()),
    };
    let result = allowed.within(work(index, Arc::clone(&connected))).await;
    let took = allowed.since.elapsed();
    // Given up or not: closing waits until what was given up is ended on the host.
    connected.close().await;
    (result, took)
}

/// What the work on one host is given up for.
struct Allowed {
    interrupt: Interrupt,
    since: Instant,
    limit: Option<Duration>,
}

impl Allowed {
    async fn within<T>(&self, work: impl Future<Output = Result<T, HostError>>) -> Result<T, Miss> {
        let late = async {
            match self.limit {
                Some(limit) => {
                    tokio::time::sleep_until(self.since + limit).await;
                    limit
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.interrupt.wait() => Err(Miss::Interrupted),
            limit = late => Err(Miss::TooLong(limit)),
            result = work => result.map_err(Miss::Host),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{Fanout, Miss};
    use crate::base::Interrupt;
    use crate::host::memory::MemoryHost;
    use crate::host::{Connect, Exit, HostError};

    #[tokio::test(flavor = "multi_thread")]
    async fn hosts_are_begun_in_their_order() {
        let host = |number: usize| MemoryHost::new(&number.to_string(), |_| Ok((String::new(), Exit::Status(0))));
        let hosts = (0..40).map(|number| Arc::new(host(number)) as Arc<dyn Connect>).collect();
        let (switch, interrupt) = Interrupt::pair();
        let fanout = Fanout { hosts, parallel: 1, limit: None, interrupt };
        let begun = Arc::new(Mutex::new(Vec::new()));
        let work = {
            let begun = Arc::clone(&begun);
            move |index, _| {
                begun.lock().unwrap().push(index);
                if index == 30 {
                    switch.send_replace(true);
                }
                async { Ok(()) }
            }
        };
        let work = Arc::new(work);
        let work = move |index, host: Arc<dyn crate::host::Host>| work(index, host);
        let mut interrupted = Vec::new();
        fanout
            .drive(work, |end| {
                if end.result == Err(Miss::Interrupted) {
                    interrupted.push(end.host);
                }
            })
            .await;
        assert_eq!(*begun.lock().unwrap(), (0..31).collect::<Vec<_>>());
        // The one that the interrupt came from may have ended before, or not.
        interrupted.sort_unstable();
        assert!(interrupted.ends_with(&(31..40).collect::<Vec<_>>()), "{interrupted:?}");
    }

    #[tokio::test]
    async fn each_host_ends_for_itself() {
        let host = |name: &str| MemoryHost::new(name, |_| Ok((String::new(), Exit::Status(0))));
        let lost = HostError::Lost { reason: "gone".to_owned() };
        let hosts: Vec<Arc<dyn Connect>> = vec![
            Arc::new(host("good")),
            Arc::new(host("dead").refusing(lost.clone())),
            Arc::new(host("bad")),
            Arc::new(host("slow")),
        ];
        let limit = Some(std::time::Duration::from_millis(50));
        let fanout = Fanout { hosts, parallel: 2, limit, interrupt: Interrupt::pair().1 };
        let ended = Mutex::new(Vec::new());
        let work = |_, host: Arc<dyn crate::host::Host>| async move {
            match host.name() {
                "bad" => panic!("oh"),
                "slow" => std::future::pending().await,
                name => Ok(name.to_owned()),
            }
        };
        fanout.drive(work, |end| ended.lock().unwrap().push((end.host, end.result))).await;
        let mut ended = ended.into_inner().unwrap();
        ended.sort_by_key(|(host, _)| *host);
        assert!(matches!(&ended[0].1, Ok(name) if name == "good"));
        assert!(matches!(&ended[1].1, Err(Miss::Host(error)) if *error == lost));
        assert!(matches!(&ended[2].1, Err(Miss::Bug(_))));
        assert!(matches!(&ended[3].1, Err(Miss::TooLong(_))));
    }
}
