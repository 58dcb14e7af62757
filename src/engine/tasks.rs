use std::collections::HashMap;

use tokio::task::{Id, JoinSet};

use crate::events::Failure;

use super::failure;

/// Work on many hosts at once. A panic in one host's task is that host's failure.
pub struct Tasks<T> {
    set: JoinSet<T>,
    hosts: HashMap<Id, String>,
}

impl<T> Default for Tasks<T> {
    fn default() -> Self {
        Self { set: JoinSet::new(), hosts: HashMap::new() }
    }
}

impl<T: Send + 'static> Tasks<T> {
    /// Starts a host's task.
    pub fn spawn(&mut self, host: &str, work: impl Future<Output = T> + Send + 'static) {
        let handle = self.set.spawn(work);
        self.hosts.insert(handle.id(), host.to_owned());
    }

    /// The next task that ended, with its host; `None` when all have.
    pub async fn next(&mut self) -> Option<(String, Result<T, Failure>)> {
        let (id, result) = match self.set.join_next_with_id().await? {
            Ok((id, value)) => (id, Ok(value)),
            Err(error) => (error.id(), Err(failure::of_workstation(&format!("a bug in kfleet: {error}")))),
        };
        Some((self.hosts.remove(&id).unwrap_or_default(), result))
    }
}

#[cfg(test)]
mod tests {
    use super::Tasks;

    #[tokio::test]
    async fn a_panic_is_its_own_hosts_failure() {
        let mut tasks = Tasks::default();
        tasks.spawn("good", async { 1 });
        tasks.spawn("bad", async { panic!("oh") });
        let mut ended = std::collections::BTreeMap::new();
        while let Some((host, result)) = tasks.next().await {
            ended.insert(host, result.is_ok());
        }
        assert_eq!(ended.into_iter().collect::<Vec<_>>(), [("bad".to_owned(), false), ("good".to_owned(), true)]);
    }
}
