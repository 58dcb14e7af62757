use std::fs;

use futures::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, SIGTERM and a terminal that is closed, none of which ends the program by itself any more once this is there.
pub(super) struct Signals {
    asked: Option<(Signal, Signal)>,
    /// The shell and the system both tell of the one terminal: once is all of it.
    hangup: Option<Signal>,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn new() -> Self {
        let asked = signal(SignalKind::interrupt()).and_then(|int| Ok((int, signal(SignalKind::terminate())?)));
        let hangup = hangup_counts().then(|| signal(SignalKind::hangup()).ok());
        Self { asked: asked.ok(), hangup: hangup.flatten() }
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
        match &mut self.asked {
            Some((interrupt, terminate)) => tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                () = hung_up(&mut self.hangup) => self.hangup = None,
            },
            // Without handlers the system ends the program at the first one.
            None => std::future::pending().await,
        }
    }
}

async fn hung_up(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether a closed terminal is to end anything: under `nohup` it is not. Where that cannot be told, the system goes on as ever.
fn hangup_counts() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored & 1 == 0)
}
