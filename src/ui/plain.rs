use std::io::{self, Write};

use crate::events::Event;

use super::Look;
use super::face::Face;
use super::story::{Detail, Story, Told};

/// One line an event, for logs and for terminals that want no colour.
pub(super) struct Plain<'a> {
    look: Look,
    story: Story,
    out: &'a mut (dyn Write + Send),
    err: &'a mut (dyn Write + Send),
}

impl<'a> Plain<'a> {
    pub(super) fn new(look: Look, out: &'a mut (dyn Write + Send), err: &'a mut (dyn Write + Send)) -> Self {
        let detail = if look.verbose { Detail::Output } else { Detail::Steps };
        Self { look, story: Story::new(detail), out, err }
    }

    fn write(&mut self, told: &Told) -> io::Result<()> {
        for line in &told.aside {
            writeln!(self.err, "{}", line.plain())?;
        }
        // A line of its own, as in a log it must be.
        if let Some(question) = &told.question {
            writeln!(self.err, "{question}")?;
        }
        for line in &told.result {
            writeln!(self.out, "{line}")?;
        }
        self.err.flush()?;
        self.out.flush()
    }
}

impl Face for Plain<'_> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        let told = self.story.tell(event, self.look.columns());
        self.write(&told)
    }

    fn end(&mut self) -> io::Result<()> {
        let told = self.story.end(self.look.columns());
        self.write(&told)
    }
}
