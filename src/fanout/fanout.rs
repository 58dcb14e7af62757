use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::base::Interrupt;
use crate::host::{Connect, Host, HostError};

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
#[derive(Debug)]
pub enum Miss {
    /// The host could not be reached, verified, authenticated or heard to the end.
    Host(HostError),
    /// The time it had was over.
    TooLong(Duration),
    /// Ctrl-C came first.
    Interrupted,
    /// The work panicked.
    Bug(String),
}

impl Fanout {
    /// Does `work` on every host, and tells `ended` of each as it ends. What is given up is ended on the host, too.
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
        let mut of_task = std::collections::HashMap::new();
        for (index, host) in self.hosts.iter().enumerate() {
            let (host, work, places) = (Arc::clone(host), work.clone(), Arc::clone(&places));
            let (interrupt, limit) = (self.interrupt.clone(), self.limit);
            let task = tasks.spawn(async move {
                let Some(_place) = interrupt.or(places.acquire_owned()).await else {
                    return (Err(Miss::Interrupted), Duration::ZERO);
                };
                let since = Instant::now();
                let result = interrupt.or(within(limit, one(index, &*host, work))).await;
                (result.unwrap_or(Err(Miss::Interrupted)), since.elapsed())
            });
            of_task.insert(task.id(), index);
        }
        while let Some(joined) = tasks.join_next_with_id().await {
            let (id, (result, took)) = match joined {
                Ok(joined) => joined,
                Err(error) => (error.id(), (Err(Miss::Bug(error.to_string())), Duration::ZERO)),
            };
            let host = of_task.remove(&id).unwrap_or_default();
            ended(Ended { host, result, took });
        }
    }
}

async fn one<T, W, F>(index: usize, host: &dyn Connect, work: W) -> Result<T, HostError>
where
    W: Fn(usize, Arc<dyn Host>) -> F,
    F: Future<Output = Result<T, HostError>>,
{
    let connected = host.connect().await?;
    let result = work(index, Arc::clone(&connected)).await;
    connected.close().await;
    result
}

async fn within<T>(limit: Option<Duration>, work: impl Future<Output = Result<T, HostError>>) -> Result<T, Miss> {
    let result = match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.map_err(|_| Miss::TooLong(limit))?,
    };
    result.map_err(Miss::Host)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{Fanout, Miss};
    use crate::base::Interrupt;
    use crate::host::memory::MemoryHost;
    use crate::host::{Connect, Exit, HostError};

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
