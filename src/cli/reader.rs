use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::watch;

/// Whoever reads stdout: of a pipe or a socket it can be seen without writing that nobody does any more.
pub(super) struct Reader(watch::Receiver<bool>);

impl Reader {
    /// Watches from now on, in a thread of its own.
    pub(super) fn watch() -> Self {
        let (tell, told) = watch::channel(false);
        let watch = move || {
            let stdout = io::stdout();
            // Nothing is asked for but what is always told: that the other end is gone.
            while poll(&mut [PollFd::new(&stdout, PollFlags::empty())], None) == Err(rustix::io::Errno::INTR) {}
            tell.send_replace(true);
        };
        // Without the thread it is seen at the next write.
        let _ = std::thread::Builder::new().name("reader".to_owned()).spawn(watch);
        Self(told)
    }

    /// Waits until nobody reads any more.
    pub(super) async fn gone(&self) {
        if self.0.clone().wait_for(|gone| *gone).await.is_err() {
            std::future::pending().await
        }
    }
}
