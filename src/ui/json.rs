use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::base::printable;
use crate::events::Event;

use super::Look;
use super::face::Face;

/// One JSON object a line, for programs.
pub(super) struct Json<'a> {
    look: Look,
    out: &'a mut (dyn Write + Send),
    now: fn() -> Timestamp,
}

#[derive(Serialize)]
struct Stamped<'a> {
    /// RFC 3339, UTC, to the millisecond.
    time: String,
    #[serde(flatten)]
    event: &'a Event,
}

impl<'a> Json<'a> {
    pub(super) fn new(look: Look, out: &'a mut (dyn Write + Send), now: fn() -> Timestamp) -> Self {
        Self { look, out, now }
    }
}

impl Face for Json<'_> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        if matches!(event, Event::OutputReceived { .. } | Event::BytesMoved { .. }) && !self.look.verbose {
            return Ok(());
        }
        let line = serde_json::to_string(&Stamped { time: format!("{:.3}", (self.now)()), event })?;
        writeln!(self.out, "{}", escaped(&line))?;
        self.out.flush()
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// JSON leaves DEL, C1 controls and bidirectional overrides as they are, and somebody may `cat` the lines: escaped they
/// mean the same to a program and nothing to a terminal. Outside of JSON's strings there are none.
pub(super) fn escaped(line: &str) -> String {
    let mut safe = String::with_capacity(line.len());
    for c in line.chars() {
        if printable(c.encode_utf8(&mut [0; 4])).is_empty() {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}
