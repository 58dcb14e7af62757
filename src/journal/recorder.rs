use std::fs::File;
use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;

use crate::events::{Event, Events, Sink};

use super::Entry;

/// The most of a run that a power cut may cost. A crash of kfleet alone costs nothing of it.
const UNSAFE: Duration = Duration::from_secs(1);

/// Writes every event down before it is told on.
pub struct Recorder {
    file: Mutex<File>,
    onward: Events,
    /// Dropped, it ends the keeper.
    end: Option<SyncSender<()>>,
    /// Brings what is written to the disk, apart from those who tell: a disk takes its time.
    keeper: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Writes to `file` what it tells `onward`.
    #[must_use]
    pub fn new(file: File, onward: Events) -> Self {
        let (end, ended) = mpsc::sync_channel(0);
        // Without the second handle, or the thread, the run is written all the same.
        let kept = file.try_clone().ok();
        let keep = |file: File| {
            thread::Builder::new().name("journal".to_owned()).spawn(move || {
                loop {
                    let over = !matches!(ended.recv_timeout(UNSAFE), Err(RecvTimeoutError::Timeout));
                    // A disk that fails must not stop the run.
                    let _ = file.sync_data();
                    if over {
                        return;
                    }
                }
            })
        };
        let keeper = kept.and_then(|file| keep(file).ok());
        Self { file: Mutex::new(file), onward, end: Some(end), keeper }
    }
}

impl Sink for Recorder {
    fn tell(&self, event: Event) {
        let entry = Entry { time: Timestamp::now(), event };
        if let Ok(mut line) = serde_json::to_vec(&entry) {
            line.push(b'\n');
            // One write a line, so that what was told before a crash is there. A full disk must not stop the run.
            let _ = self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
        }
        self.onward.tell(entry.event);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(keeper) = self.keeper.take() {
            // It has nothing to say.
            let _ = keeper.join();
        }
    }
}
