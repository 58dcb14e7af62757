use std::io::{self, Write};

use console::Style;

use crate::base::printable;

/// What is written on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Surface {
    /// Whether it is a terminal, which nothing of a host's may speak to. Anything else gets a host's bytes as they are.
    pub terminal: bool,
    /// Whether colours are welcome.
    pub colour: bool,
}

/// Something to write on, a block at a time.
pub(super) struct Sheet<'a> {
    to: &'a mut (dyn Write + Send),
    surface: Surface,
    block: Vec<u8>,
    /// The beginning of a character whose end has not come yet.
    cut: Vec<u8>,
    /// Whether it is no failure that nobody reads it any more.
    may_be_gone: bool,
}

impl<'a> Sheet<'a> {
    /// So much is written at a time, in bytes.
    const BLOCK: usize = 64 * 1024;

    pub(super) fn new(to: &'a mut (dyn Write + Send), surface: Surface) -> Self {
        Self { to, surface, block: Vec::new(), cut: Vec::new(), may_be_gone: false }
    }

    /// The same; who does not read it any more may still want what is written elsewhere.
    pub(super) fn aside(self) -> Self {
        Self { may_be_gone: true, ..self }
    }

    /// A text of ours, in this style where there are colours.
    pub(super) fn own(&mut self, text: &str, style: Style) {
        let text = printable(text);
        if self.surface.colour {
            self.block.extend_from_slice(style.force_styling(true).apply_to(text).to_string().as_bytes());
        } else {
            self.block.extend_from_slice(text.as_bytes());
        }
    }

    /// A line that is partly a host's, in this style where there are colours.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn line(&mut self, line: &str, style: Style) -> io::Result<()> {
        if self.surface.colour {
            self.own(line, style);
        } else {
            self.remote(line.as_bytes())?;
        }
        self.end_line();
        if self.block.len() >= Self::BLOCK { self.write() } else { Ok(()) }
    }

    /// Ends a line.
    pub(super) fn end_line(&mut self) {
        self.end_text();
        self.block.push(b'\n');
    }

    /// What a host wrote, or a part of it: line ends stay what they are, and on a terminal nothing else speaks to it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn remote(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.surface.terminal {
            let mut bytes = [std::mem::take(&mut self.cut).as_slice(), bytes].concat();
            self.cut = bytes.split_off(bytes.len() - unfinished(&bytes));
            self.tame(&bytes);
        } else {
            self.block.extend_from_slice(bytes);
        }
        if self.block.len() >= Self::BLOCK { self.write() } else { Ok(()) }
    }

    /// Writes what there is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let written = self.to.write_all(&self.block).and_then(|()| self.to.flush());
        self.block.clear();
        match written {
            Err(error) if self.may_be_gone && error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// What a host wrote ends here, in the middle of a character or not.
    pub(super) fn end_text(&mut self) {
        let cut = std::mem::take(&mut self.cut);
        self.tame(&cut);
    }

    fn tame(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for part in text.split_inclusive(['\n', '\t']) {
            self.block.extend_from_slice(printable(part.trim_end_matches(['\n', '\t'])).as_bytes());
            if let Some(end) = part.chars().next_back().filter(|end| matches!(end, '\n' | '\t')) {
                self.block.push(end as u8);
            }
        }
    }
}

/// How many of the last bytes may be the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len() - bytes.len().min(3)..];
    let begun = tail.iter().rposition(|byte| byte & 0xc0 == 0xc0).map(|at| &tail[at..]);
    let is_begun = |bytes: &&[u8]| std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none());
    begun.filter(is_begun).map_or(0, <[u8]>::len)
}

#[cfg(test)]
mod tests {
    use console::Style;

    use super::{Sheet, Surface};

    fn written(surface: Surface, pieces: &[&[u8]]) -> Vec<u8> {
        let mut to = Vec::new();
        let mut sheet = Sheet::new(&mut to, surface);
        sheet.own("h\u{1b}: ", Style::new().blue());
        pieces.iter().for_each(|piece| sheet.remote(piece).unwrap());
        sheet.end_line();
        sheet.write().unwrap();
        to
    }

    #[test]
    fn a_terminal_is_not_spoken_to_and_a_file_gets_every_byte() {
        let pieces: [&[u8]; 3] = [b"a\tb\r\x1b[31m \xff\xc3", b"\xa9\n\xe2\x98", b"\xb8\xe2\x98"];
        let terminal = Surface { terminal: true, colour: false };
        assert_eq!(String::from_utf8(written(terminal, &pieces)).unwrap(), "h: a\tb[31m \u{fffd}é\n☸\u{fffd}\n");
        assert_eq!(written(Surface::default(), &pieces), [b"h: ", &pieces.concat()[..], b"\n"].concat());
        let colour = Surface { colour: true, ..terminal };
        assert_eq!(written(colour, &[]), b"\x1b[34mh: \x1b[0m\n");
    }
}
