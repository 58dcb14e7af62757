use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Serialize;

use super::face::Face;
use super::summary::{hint, reason};
use crate::events::{FailureKind, Outcome};
use crate::fanout::Ended;
use crate::host::{Exit, Stream};
use crate::ui::json::escaped;

/// One JSON object a line, for programs.
pub(super) struct Json<'a> {
    names: &'a [String],
    out: &'a mut (dyn Write + Send),
    now: fn() -> Timestamp,
    began: Instant,
    /// The lines whose end has not come yet, of each host and stream.
    begun: HashMap<(usize, bool), Vec<u8>>,
}

#[derive(Serialize)]
struct Stamped<'a> {
    /// RFC 3339, UTC, to the millisecond.
    time: String,
    #[serde(flatten)]
    object: Object<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Object<'a> {
    /// A host wrote a line. `line` has it without its end, `line_base64` where it is not UTF-8. What is `partial` has no line
    /// end: the line goes on in the next object of this host and stream, or the output ended so.
    Output {
        host: &'a str,
        stream: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        line_base64: Option<String>,
        partial: bool,
    },
    /// A host ended: with an exit status, by a signal, or with a failure.
    HostEnded { host: &'a str, status: Option<u32>, signal: Option<&'a str>, failure: Option<Failed>, took_s: f64 },
    /// All hosts ended.
    Finished {
        #[serde(flatten)]
        outcome: Outcome,
        hosts: usize,
        failed: Vec<&'a str>,
        took_s: f64,
    },
}

#[derive(Serialize)]
struct Failed {
    kind: FailureKind,
    reason: String,
    hint: Option<String>,
}

impl<'a> Json<'a> {
    /// A line is told in pieces of this size, in bytes.
    const PIECE: usize = 64 * 1024;

    pub(super) fn new(names: &'a [String], out: &'a mut (dyn Write + Send), now: fn() -> Timestamp) -> Self {
        Self { names, out, now, began: Instant::now(), begun: HashMap::new() }
    }

    fn name(&self, host: usize) -> &'a str {
        self.names.get(host).map(String::as_str).unwrap_or_default()
    }

    fn tell(&mut self, object: Object<'_>) -> io::Result<()> {
        let line = serde_json::to_string(&Stamped { time: format!("{:.3}", (self.now)()), object })?;
        writeln!(self.out, "{}", escaped(&line))
    }

    fn line(&mut self, host: usize, stream: Stream, bytes: &[u8], partial: bool) -> io::Result<()> {
        let line = std::str::from_utf8(bytes).ok();
        let line_base64 = line.is_none().then(|| BASE64_STANDARD.encode(bytes));
        let stream = if stream == Stream::Stdout { "stdout" } else { "stderr" };
        self.tell(Object::Output { host: self.name(host), stream, line, line_base64, partial })
    }
}

impl Face for Json<'_> {
    fn wrote(&mut self, host: usize, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let mut begun = self.begun.remove(&(host, stream == Stream::Stderr)).unwrap_or_default();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            begun.extend_from_slice(part);
            if let Some(line) = begun.strip_suffix(b"\n") {
                self.line(host, stream, line, false)?;
                begun.clear();
            }
            while begun.len() >= Self::PIECE {
                let rest = begun.split_off(whole(&begun[..Self::PIECE]));
                self.line(host, stream, &begun, true)?;
                begun = rest;
            }
        }
        if !begun.is_empty() {
            self.begun.insert((host, stream == Stream::Stderr), begun);
        }
        self.out.flush()
    }

    fn ended(&mut self, ended: &Ended<Exit>) -> io::Result<()> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if let Some(begun) = self.begun.remove(&(ended.host, stream == Stream::Stderr)) {
                self.line(ended.host, stream, &begun, true)?;
            }
        }
        let (status, signal, failure) = match &ended.result {
            Ok(Exit::Status(status)) => (Some(*status), None, None),
            Ok(Exit::Signal(signal)) => (None, Some(signal.as_str()), None),
            Err(miss) => {
                let failure = Failed { kind: miss.kind(), reason: reason(&ended.result), hint: hint(&ended.result) };
                (None, None, Some(failure))
            }
        };
        let host = self.name(ended.host);
        self.tell(Object::HostEnded { host, status, signal, failure, took_s: seconds(ended.took) })?;
        self.out.flush()
    }

    fn end(&mut self, ends: &[Ended<Exit>]) -> io::Result<()> {
        let failed = ends.iter().filter(|ended| ended.failure().is_some()).map(|ended| self.name(ended.host)).collect();
        self.tell(Object::Finished {
            outcome: Outcome::of(ends.iter().filter_map(Ended::failure)),
            hosts: ends.len(),
            failed,
            took_s: seconds(self.began.elapsed()),
        })?;
        self.out.flush()
    }
}

/// How much of `bytes` does not end within a character.
fn whole(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// To the millisecond.
fn seconds(took: std::time::Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{Face, Json};
    use crate::fanout::{Ended, Miss};
    use crate::host::{Exit, HostError, Stream};

    #[test]
    fn what_programs_read_is_golden() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let mut out = Vec::new();
        let mut json = Json::new(&names, &mut out, || Timestamp::UNIX_EPOCH);
        json.wrote(0, Stream::Stdout, b"one\n\ntw\"o\x1b\x9b\xff").unwrap();
        json.wrote(1, Stream::Stderr, "caf\u{e9}\u{202e}\r\n".as_bytes()).unwrap();
        json.wrote(0, Stream::Stdout, b"\nthree").unwrap();
        let lost = HostError::Unreachable { address: "c:22".to_owned(), reason: "gone".to_owned() };
        let results =
            [Ok(Exit::Status(0)), Ok(Exit::Signal("KILL".to_owned())), Err(Miss::Host(lost))].into_iter().enumerate();
        let ends: Vec<_> =
            results.map(|(host, result)| Ended { host, result, took: Duration::from_micros(1_500) }).collect();
        ends.iter().for_each(|ended| json.ended(ended).unwrap());
        json.end(&ends).unwrap();
        let out = String::from_utf8(out).unwrap();
        let (told, last) = out.trim_end().rsplit_once('\n').unwrap();
        insta::assert_snapshot!(told);
        let last: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!((&last["failure_kind"], &last["failed"]), (&"unreachable".into(), &serde_json::json!(["b", "c"])));
    }

    #[test]
    fn a_long_line_comes_in_pieces_that_are_text() {
        let names = ["a".to_owned()];
        let mut out = Vec::new();
        let text = "é".repeat(100_000);
        let mut json = Json::new(&names, &mut out, || Timestamp::UNIX_EPOCH);
        for piece in text.as_bytes().chunks(777) {
            json.wrote(0, Stream::Stdout, piece).unwrap();
        }
        json.ended(&Ended { host: 0, result: Ok(Exit::Status(0)), took: Duration::ZERO }).unwrap();
        let objects = out.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        let lines: Vec<String> =
            objects.filter_map(|object: serde_json::Value| Some(object["line"].as_str()?.to_owned())).collect();
        assert!(lines.len() > 2 && lines.concat() == text);
    }
}
