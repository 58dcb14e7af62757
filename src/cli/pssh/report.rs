use std::io::{self, Read, Seek, Write};

use tempfile::SpooledTempFile;

use super::common_args::Show;
use super::ending::Ending;
use crate::base::printable;
use crate::host::Stream;

/// What is shown of hosts, in pssh's shapes.
pub(super) struct Report<'a, O, E> {
    show: Show,
    /// Whether stdout is a terminal, which is to be spared control characters.
    terminal: bool,
    colour: bool,
    hosts: Vec<Kept<'a>>,
    /// How many have ended.
    ended: usize,
    out: O,
    err: E,
}

/// What is kept of a host until it can be shown.
struct Kept<'a> {
    /// As its line has it.
    shown: &'a str,
    /// As `--print` has it.
    host: &'a str,
    stdout: SpooledTempFile,
    stderr: SpooledTempFile,
    /// The begin of a line for `--print`, of either stream.
    begun: [Vec<u8>; 2],
}

/// Of one stream of one host, in bytes; more goes to a temporary file.
const IN_MEMORY: usize = 256 << 10;
/// A longer line is printed before its end, in bytes.
const LONGEST_LINE: usize = 64 << 10;

impl<'a, O: Write, E: Write> Report<'a, O, E> {
    /// `hosts` as they are shown, and by their bare names.
    pub(super) fn new(
        show: Show,
        terminal: bool,
        colour: bool,
        hosts: impl Iterator<Item = (&'a str, &'a str)>,
        out: O,
        err: E,
    ) -> Self {
        let kept = |(shown, host)| Kept {
            shown,
            host,
            stdout: SpooledTempFile::new(IN_MEMORY),
            stderr: SpooledTempFile::new(IN_MEMORY),
            begun: [Vec::new(), Vec::new()],
        };
        Self { show, terminal, colour, hosts: hosts.map(kept).collect(), ended: 0, out, err }
    }

    /// Takes what a host wrote.
    ///
    /// # Errors
    /// Where it can be neither shown nor kept.
    pub(super) fn wrote(&mut self, host: usize, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let Some(kept) = self.hosts.get_mut(host) else { return Ok(()) };
        match stream {
            Stream::Stdout if self.show.inline || self.show.inline_stdout => kept.stdout.write_all(bytes)?,
            Stream::Stderr if self.show.inline => kept.stderr.write_all(bytes)?,
            _ => {}
        }
        if !self.show.print {
            return Ok(());
        }
        let begun = &mut kept.begun[usize::from(stream == Stream::Stderr)];
        begun.extend_from_slice(bytes);
        let whole = match begun.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if begun.len() > LONGEST_LINE => begun.len(),
            None => 0,
        };
        let lines: Vec<u8> = begun.drain(..whole).collect();
        self.print(host, stream, &lines)
    }

    /// Shows that a host ended, at `time` of the clock on the wall, and what was kept of it.
    ///
    /// # Errors
    /// Where it cannot be shown.
    pub(super) fn ended(&mut self, host: usize, ending: &Ending, time: &str) -> io::Result<()> {
        self.ended += 1;
        for stream in [Stream::Stdout, Stream::Stderr] {
            let Some(kept) = self.hosts.get_mut(host) else { return Ok(()) };
            let rest = std::mem::take(&mut kept.begun[usize::from(stream == Stream::Stderr)]);
            self.print(host, stream, &rest)?;
        }
        let Some(kept) = self.hosts.get_mut(host) else { return Ok(()) };
        if !self.show.no_headers {
            let line = headline(self.ended, time, kept.shown, ending.failure().as_deref(), self.colour);
            writeln!(self.out, "{line}")?;
        }
        for (stream, file) in [(Stream::Stdout, &mut kept.stdout), (Stream::Stderr, &mut kept.stderr)] {
            if file.stream_position()? == 0 {
                continue;
            }
            if stream == Stream::Stderr && !self.show.no_headers {
                let label = if self.colour { painted(31, "Stderr: ") } else { "Stderr: ".to_owned() };
                self.out.write_all(label.as_bytes())?;
            }
            file.rewind()?;
            pour(file, &mut self.out, self.terminal)?;
            // Its memory is needed no more.
            *file = SpooledTempFile::new(0);
        }
        self.out.flush()
    }

    /// Whole lines, or the last one without its end, behind the host's name.
    fn print(&mut self, host: usize, stream: Stream, lines: &[u8]) -> io::Result<()> {
        let Some(kept) = self.hosts.get(host) else { return Ok(()) };
        let mut text = Vec::with_capacity(lines.len() + 64);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            text.extend_from_slice(kept.host.as_bytes());
            text.extend_from_slice(b": ");
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if self.terminal {
                text.extend_from_slice(&harmless(line))
            } else {
                text.extend_from_slice(line)
            }
            text.push(b'\n');
        }
        match stream {
            Stream::Stdout => self.out.write_all(&text).and_then(|()| self.out.flush()),
            Stream::Stderr => self.err.write_all(&text).and_then(|()| self.err.flush()),
        }
    }
}

/// Copies all of `from`; to a terminal without what could speak to it.
fn pour(from: &mut impl Read, out: &mut impl Write, terminal: bool) -> io::Result<()> {
    if !terminal {
        return io::copy(from, out).map(|_| ());
    }
    let mut reader = io::BufReader::new(from);
    let mut line = Vec::new();
    while io::BufRead::read_until(&mut (&mut reader).take(LONGEST_LINE as u64), b'\n', &mut line)? > 0 {
        match line.strip_suffix(b"\n") {
            Some(whole) => writeln!(out, "{}", String::from_utf8_lossy(&harmless(whole)))?,
            None => out.write_all(&harmless(&line))?,
        }
        line.clear();
    }
    Ok(())
}

/// A line for a terminal: its tabs stay, which make columns.
fn harmless(line: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(line).split('\t').map(printable).collect::<Vec<_>>().join("\t").into_bytes()
}

fn headline(number: usize, time: &str, host: &str, failure: Option<&str>, colour: bool) -> String {
    let (host, failure) = (printable(host), failure.map(printable));
    let (progress, verdict, failure) = if colour {
        let verdict = if failure.is_some() { painted(31, &tagged("FAILURE")) } else { painted(32, &tagged("SUCCESS")) };
        (painted(36, &tagged(&number.to_string())), verdict, failure.map(|failure| painted(31, &bold(&failure))))
    } else {
        let verdict = if failure.is_some() { "[FAILURE]" } else { "[SUCCESS]" };
        (format!("[{number}]"), verdict.to_owned(), failure)
    };
    let failure = failure.map(|failure| format!(" {failure}")).unwrap_or_default();
    format!("{progress} {time} {verdict} {host}{failure}")
}

fn tagged(text: &str) -> String {
    format!("[{}]", bold(text))
}

fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[22m")
}

fn painted(colour: u8, text: &str) -> String {
    format!("\x1b[{colour}m\x1b[49m{text}\x1b[39m\x1b[49m")
}

#[cfg(test)]
mod tests {
    use super::{Report, Show};
    use crate::cli::pssh::ending::Ending;
    use crate::host::Stream::{Stderr, Stdout};

    fn told(show: Show, terminal: bool, colour: bool, ending: &Ending) -> (String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut report = Report::new(show, terminal, colour, [("u@h:22", "h")].into_iter(), &mut out, &mut err);
        for (stream, bytes) in
            [(Stdout, "one\tx\x1b[31m\ntw"), (Stderr, "bad\n"), (Stdout, "o\nthr"), (Stdout, "ee"), (Stderr, "end")]
        {
            report.wrote(0, stream, bytes.as_bytes()).unwrap();
        }
        report.ended(0, ending, "12:00:01").unwrap();
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn output_has_psshs_shapes() {
        let none = Show::default();
        let inline = Show { inline: true, ..none };
        let good = Ending::Exited(0);
        let head = "[1] 12:00:01 [SUCCESS] u@h:22\n";
        let body = "one\tx\x1b[31m\ntwo\nthree";
        assert_eq!(told(none, false, false, &good).0, head);
        assert_eq!(told(inline, false, false, &good).0, format!("{head}{body}Stderr: bad\nend"));
        let only = Show { inline_stdout: true, ..none };
        assert_eq!(told(only, false, false, &good).0, format!("{head}{body}"));
        let bare = Show { no_headers: true, ..inline };
        assert_eq!(told(bare, false, false, &good).0, format!("{body}bad\nend"));
        let print = Show { print: true, ..none };
        let printed = ("h: one\tx\x1b[31m\nh: two\nh: three\n".to_owned() + head, "h: bad\nh: end\n".to_owned());
        assert_eq!(told(print, false, false, &good), printed);
        // A terminal is not spoken to.
        assert!(told(inline, true, false, &good).0.contains("one\tx[31m\ntwo"));
    }

    #[test]
    fn a_failure_is_red_on_a_terminal() {
        let (out, _) = told(Show::default(), true, true, &Ending::TimedOut);
        assert_eq!(
            out,
            "\x1b[36m\x1b[49m[\x1b[1m1\x1b[22m]\x1b[39m\x1b[49m 12:00:01 \
             \x1b[31m\x1b[49m[\x1b[1mFAILURE\x1b[22m]\x1b[39m\x1b[49m u@h:22 \
             \x1b[31m\x1b[49m\x1b[1mTimed out, Killed by signal 9\x1b[22m\x1b[39m\x1b[49m\n"
        );
    }
}
