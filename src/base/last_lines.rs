use super::{Tail, told};

/// The last lines of what a program writes, in harmless words and as it comes.
pub struct LastLines {
    tail: Tail,
    line: Vec<u8>,
}

impl LastLines {
    /// The most that is looked at of a line, in bytes.
    const LINE: usize = 4096;

    /// Keeps the last `keep` lines; empty ones are none.
    #[must_use]
    pub fn of(keep: usize) -> Self {
        Self { tail: Tail::of(keep), line: Vec::new() }
    }

    /// Takes what comes next.
    pub fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                self.flush();
            } else if self.line.len() < Self::LINE {
                self.line.push(byte);
            }
        }
    }

    /// The lines kept, oldest first; the last may be without its end.
    #[must_use]
    pub fn end(mut self) -> Vec<String> {
        self.flush();
        self.tail.into_lines()
    }

    fn flush(&mut self) {
        if !self.line.is_empty() {
            let line = String::from_utf8_lossy(&self.line);
            self.tail.push(&told(&line));
            self.line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LastLines;

    #[test]
    fn lines_are_kept_as_they_come() {
        let mut lines = LastLines::of(2);
        for piece in [&b"one\ntw"[..], b"o\n\n\x1b[31mth", b"r\xffee"] {
            lines.take(piece);
        }
        assert_eq!(lines.end(), ["two", "[31mthr\u{fffd}ee"]);
    }
}
