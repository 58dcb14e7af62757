use tokio::sync::watch;

/// Whether the person at the keyboard wants no more work to be started.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// An interrupt and the switch that sets it off.
    #[must_use]
    pub fn pair() -> (watch::Sender<bool>, Self) {
        let (switch, interrupt) = watch::channel(false);
        (switch, Self(interrupt))
    }

    /// Whether it was set off.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is set off; for ever if it never is.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|set| *set).await.is_err() {
            // Nobody is left who could interrupt.
            std::future::pending::<()>().await;
        }
    }

    /// `work`'s result, or `None` when the interrupt came first.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.wait() => None,
            result = work => Some(result),
        }
    }
}
