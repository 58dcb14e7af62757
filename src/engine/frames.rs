use crate::host::{Output, Stream};

/// What a script's stdout says, line by line: frames, which carry the script's nonce, and everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Work on the action with this index began.
    Began(usize),
    /// It ended with this status.
    Ended(usize, i32),
    /// The script came to its own end.
    Closed,
    /// Output of the action under way.
    Text(String),
    /// What the shell, sudo, or an action whose output is a value wrote to stderr.
    Stderr(String),
}

/// Cuts a byte stream into [`Line`]s and hands them on. Empty lines are dropped.
pub struct Frames<F> {
    nonce: String,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    each: F,
}

impl<F: FnMut(Line) + Send> Frames<F> {
    /// A line longer than this many bytes is handed on in pieces.
    const LONGEST: usize = 64 * 1024;

    /// Reads frames marked with `nonce`.
    pub fn new(nonce: &str, each: F) -> Self {
        Self { nonce: nonce.to_owned(), stdout: Vec::new(), stderr: Vec::new(), each }
    }

    /// What was left without a line end.
    pub fn finish(mut self) {
        let (stdout, stderr) = (std::mem::take(&mut self.stdout), std::mem::take(&mut self.stderr));
        self.line(Stream::Stdout, &stdout);
        self.line(Stream::Stderr, &stderr);
    }

    fn line(&mut self, stream: Stream, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        let line = match stream {
            Stream::Stdout => self.frame(text).unwrap_or_else(|| Line::Text(text.to_owned())),
            Stream::Stderr => Line::Stderr(text.to_owned()),
        };
        if !text.is_empty() {
            (self.each)(line);
        }
    }

    fn frame(&self, line: &str) -> Option<Line> {
        let mut words = line.split_ascii_whitespace();
        if words.next()? != self.nonce {
            return None;
        }
        match (words.next()?, words.next(), words.next()) {
            ("began", Some(index), None) => Some(Line::Began(index.parse().ok()?)),
            ("ended", Some(index), Some(status)) => Some(Line::Ended(index.parse().ok()?, status.parse().ok()?)),
            ("closed", None, None) => Some(Line::Closed),
            _ => None,
        }
    }
}

impl<F: FnMut(Line) + Send> Output for Frames<F> {
    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let mut buffer = std::mem::take(match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        });
        buffer.extend_from_slice(bytes);
        let mut rest = buffer.as_slice();
        while let Some(end) =
            rest.iter().position(|byte| *byte == b'\n').or((rest.len() > Self::LONGEST).then_some(Self::LONGEST))
        {
            let (line, behind) = rest.split_at(end + 1);
            self.line(stream, line);
            rest = behind;
        }
        let rest = rest.to_vec();
        match stream {
            Stream::Stdout => self.stdout = rest,
            Stream::Stderr => self.stderr = rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, Line};
    use crate::host::{Output, Stream};

    fn read(pieces: &[(Stream, &str)]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut frames = Frames::new("n0nce", |line| lines.push(line));
        for (stream, piece) in pieces {
            frames.take(*stream, piece.as_bytes());
        }
        frames.finish();
        lines
    }

    #[test]
    fn frames_are_found_however_the_stream_is_cut() {
        let whole = "\nn0nce began 0\nhello\n\nn0nce ended 0 7\n\nn0nce closed\nrest";
        let expected = [
            Line::Began(0),
            Line::Text("hello".to_owned()),
            Line::Ended(0, 7),
            Line::Closed,
            Line::Text("rest".to_owned()),
        ];
        for at in 0..whole.len() {
            let (one, two) = whole.split_at(at);
            assert_eq!(read(&[(Stream::Stdout, one), (Stream::Stdout, two)]), expected);
        }
    }

    #[test]
    fn output_cannot_forge_a_frame() {
        for forged in ["other began 0", "xn0nce began 0", "n0nce ended 0", "n0nce ended 0 x", "n0nce closed now"] {
            assert_eq!(read(&[(Stream::Stdout, forged)]), [Line::Text(forged.to_owned())]);
        }
        assert_eq!(read(&[(Stream::Stderr, "n0nce closed\n")]), [Line::Stderr("n0nce closed".to_owned())]);
    }

    #[test]
    fn a_line_without_end_is_not_kept_for_ever() {
        let long = "x".repeat(300_000);
        let lines = read(&[(Stream::Stdout, &long)]);
        assert!(lines.len() > 4 && lines.iter().all(|line| matches!(line, Line::Text(text) if text.len() <= 65_537)));
    }
}
