use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::events::{Event, Events, Sink};

use super::Entry;

/// Writes every event down before it is told on.
pub struct Recorder {
    file: Mutex<File>,
    onward: Events,
}

impl Recorder {
    /// Writes to `file` what it tells `onward`.
    #[must_use]
    pub fn new(file: File, onward: Events) -> Self {
        Self { file: Mutex::new(file), onward }
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
