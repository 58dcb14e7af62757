use futures::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and SIGTERM, which no longer end the program by themselves once this is there.
pub(super) struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Listens from now on.
    pub(super) fn new() -> Self {
        Self(signal(SignalKind::interrupt()).and_then(|int| Ok((int, signal(SignalKind::terminate())?))).ok())
    }

    /// Whether there were any since the last one that was waited for; they are done with then.
    pub(super) fn have_come(&mut self) -> bool {
        let mut any = false;
        while self.next().now_or_never().is_some() {
            any = true;
        }
        any
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        match &mut self.0 {
            Some((interrupt, terminate)) => tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            },
            // Without handlers the system ends the program at the first one.
            None => std::future::pending().await,
        }
    }
}
