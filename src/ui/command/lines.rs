use std::collections::HashMap;
use std::io;

use console::Style;

use super::face::Face;
use super::sheet::Sheet;
use crate::fanout::{Ended, Spool};
use crate::host::{Exit, Stream};

/// `host: line` as the lines come, each whole.
pub(super) struct Lines<'a> {
    names: &'a [String],
    prefix: bool,
    out: Sheet<'a>,
    err: Sheet<'a>,
    /// The lines whose end has not come yet, of each host and stream.
    begun: HashMap<(usize, bool), Spool>,
}

impl<'a> Lines<'a> {
    /// So much of an unfinished line is kept in memory, in bytes; any more in a file.
    const MEMORY: usize = 64 * 1024;

    pub(super) fn new(names: &'a [String], prefix: bool, out: Sheet<'a>, err: Sheet<'a>) -> Self {
        Self { names, prefix, out, err, begun: HashMap::new() }
    }

    /// The sheet of stdout, for what is not told line by line.
    pub(super) fn out(&mut self) -> &mut Sheet<'a> {
        &mut self.out
    }

    /// Whether bytes go through as they are: there is nobody else's line that they could break into.
    fn is_alone(&self) -> bool {
        !self.prefix && self.names.len() == 1
    }

    fn line(&mut self, host: usize, stream: Stream, rest: &[u8]) -> io::Result<()> {
        let (sheet, style) = match stream {
            Stream::Stdout => (&mut self.out, Style::new().blue()),
            Stream::Stderr => (&mut self.err, Style::new().red()),
        };
        if self.prefix
            && let Some(name) = self.names.get(host)
        {
            sheet.own(&format!("{name}: "), style);
        }
        if let Some(mut begun) = self.begun.remove(&(host, stream == Stream::Stderr)) {
            while let Some((_, piece)) = begun.take()? {
                sheet.remote(&piece)?;
            }
        }
        sheet.remote(rest)?;
        sheet.end_line();
        Ok(())
    }

    fn write(&mut self, stream: Stream) -> io::Result<()> {
        match stream {
            Stream::Stdout => self.out.write(),
            Stream::Stderr => self.err.write(),
        }
    }
}

impl Face for Lines<'_> {
    fn wrote(&mut self, host: usize, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if self.is_alone() {
            let sheet = if stream == Stream::Stdout { &mut self.out } else { &mut self.err };
            sheet.remote(bytes)?;
            return self.write(stream);
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(line) => self.line(host, stream, line)?,
                None => {
                    let begun = self.begun.entry((host, stream == Stream::Stderr));
                    begun.or_insert_with(|| Spool::new(Self::MEMORY)).put(stream, part)?;
                }
            }
        }
        self.write(stream)
    }

    fn ended(&mut self, ended: &Ended<Exit>) -> io::Result<()> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if self.begun.contains_key(&(ended.host, stream == Stream::Stderr)) {
                self.line(ended.host, stream, b"")?;
                self.write(stream)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, _: &[Ended<Exit>]) -> io::Result<()> {
        if self.is_alone() {
            self.out.end_text();
            self.err.end_text();
        }
        self.write(Stream::Stdout)?;
        self.write(Stream::Stderr)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Surface;
    use super::{Face, Lines, Sheet};
    use crate::fanout::Ended;
    use crate::host::Exit;
    use crate::host::Stream::{self, Stderr, Stdout};

    fn shown(prefix: bool, names: &[&str], pieces: &[(usize, Stream, &[u8])]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut lines = Lines::new(
            &names,
            prefix,
            Sheet::new(&mut out, Surface::default()),
            Sheet::new(&mut err, Surface::default()),
        );
        for (host, stream, bytes) in pieces {
            lines.wrote(*host, *stream, bytes).unwrap();
        }
        for host in 0..names.len() {
            lines.ended(&Ended { host, result: Ok(Exit::Status(0)), took: Duration::ZERO }).unwrap();
        }
        lines.end(&[]).unwrap();
        drop(lines);
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn lines_are_whole_and_have_their_hosts() {
        let pieces: [(usize, Stream, &[u8]); 6] = [
            (0, Stdout, b"one\ntw"),
            (1, Stdout, b"other\n"),
            (0, Stderr, b"oh\n"),
            (0, Stdout, b"o\n\nthr"),
            (1, Stderr, b"end"),
            (0, Stdout, b"ee"),
        ];
        let (out, err) = shown(true, &["a", "b"], &pieces);
        assert_eq!(out, "a: one\nb: other\na: two\na: \na: three\n");
        assert_eq!(err, "a: oh\nb: end\n");
        assert_eq!(shown(false, &["a", "b"], &pieces).0, "one\nother\ntwo\n\nthree\n");
    }

    #[test]
    fn a_single_host_without_its_name_is_passed_through() {
        let pieces: [(usize, Stream, &[u8]); 2] = [(0, Stdout, b"one\ntw"), (0, Stdout, b"o")];
        assert_eq!(shown(false, &["a"], &pieces).0, "one\ntwo");
        assert_eq!(shown(true, &["a"], &pieces).0, "a: one\na: two\n");
    }

    #[test]
    fn a_line_longer_than_memory_is_still_one() {
        let piece = vec![b'x'; 60_000];
        let mut pieces: Vec<(usize, Stream, &[u8])> = vec![(0, Stdout, &piece); 20];
        pieces.insert(7, (1, Stdout, b"short\n"));
        pieces.push((0, Stdout, b"\n"));
        let (out, _) = shown(true, &["a", "b"], &pieces);
        assert_eq!(out, format!("b: short\na: {}\n", "x".repeat(1_200_000)));
    }
}
