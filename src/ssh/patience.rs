use std::time::Duration;

use tokio::time::Instant;

use crate::host::HostError;

/// What is left of the time that connecting may take.
#[derive(Debug)]
pub struct Patience {
    endpoint: String,
    until: Instant,
    allowed: Duration,
}

impl Patience {
    /// `allowed` from now on, for connecting to `endpoint`.
    pub fn of(allowed: Duration, endpoint: String) -> Self {
        Self { endpoint, until: Instant::now() + allowed, allowed }
    }

    /// As much of what is left, from now on, as `limit` allows.
    pub fn at_most(&self, limit: Option<Duration>) -> Self {
        let endpoint = self.endpoint.clone();
        match limit.filter(|limit| *limit < self.left()) {
            Some(limit) => Self::of(limit, endpoint),
            None => Self { endpoint, ..*self },
        }
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Waits for `future` as long as there is time; `what` says in an error what did not happen.
    pub async fn wait_for<T>(&self, what: &str, future: impl Future<Output = T>) -> Result<T, HostError> {
        tokio::time::timeout_at(self.until, future).await.map_err(|_| self.out(what))
    }

    /// The error of running out of time.
    pub fn out(&self, what: &str) -> HostError {
        let seconds = self.allowed.as_secs_f64();
        let reason = format!("{what} within {seconds:.0} s");
        HostError::Unreachable { address: self.endpoint.clone(), reason }
    }
}
