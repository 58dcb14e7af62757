use tokio::sync::watch;

/// Whether no more work is to be started: the person at the keyboard wants it so, or something else does.
#[derive(Debug, Clone)]
pub struct Interrupt(Vec<watch::Receiver<bool>>);

impl Interrupt {
    /// An interrupt and the switch that sets it off.
    #[must_use]
    pub fn pair() -> (watch::Sender<bool>, Self) {
        let (switch, interrupt) = watch::channel(false);
        (switch, Self(vec![interrupt]))
    }

    /// Whether it was set off.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.iter().any(|receiver| *receiver.borrow())
    }

    /// Set off as soon as either is.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self([&self.0[..], &other.0].concat())
    }

    /// Waits until it is set off; for ever if it never is.
    pub async fn wait(&self) {
        let each = self.0.iter().cloned().map(|mut receiver| {
            Box::pin(async move {
                if receiver.wait_for(|set| *set).await.is_err() {
                    // Nobody is left who could interrupt.
                    std::future::pending::<()>().await;
                }
            })
        });
        futures::future::select_all(each).await;
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

#[cfg(test)]
mod tests {
    use super::Interrupt;

    #[tokio::test]
    async fn either_of_two_sets_off_both() {
        let (_one, first) = Interrupt::pair();
        let (two, second) = Interrupt::pair();
        let both = first.and(&second);
        assert!(!both.is_set());
        two.send_replace(true);
        both.wait().await;
        assert!(both.is_set() && !first.is_set());
    }
}
