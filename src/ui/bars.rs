use std::io::{self, Write};
use std::time::Instant;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::events::{Event, Reply};

use super::Look;
use super::face::Face;
use super::screen::{Screen, Size};
use super::story::{Detail, Story, Told};

/// Lines that live, one a host, below the lines that stay.
///
/// All of them are the message of one bar: a tick is one write to the terminal, for two hosts as for two hundred.
pub(super) struct Bars<'a> {
    story: Story,
    screen: Screen,
    bar: ProgressBar,
    size: Box<dyn Fn() -> Size + Send>,
    /// Lines to stay, gathered for the next tick.
    pending: Vec<String>,
    /// Whether a question is open: the terminal is whose who answers it.
    asked: bool,
    out: &'a mut (dyn Write + Send),
    err: &'a mut (dyn Write + Send),
}

impl<'a> Bars<'a> {
    /// More than the ticks that come, so that indicatif never drops one.
    const HERTZ: u8 = 50;

    /// Live lines on the terminal behind stderr, whose size is asked at each redraw.
    pub(super) fn on_stderr(look: Look, out: &'a mut (dyn Write + Send), err: &'a mut (dyn Write + Send)) -> Self {
        let term = Term::buffered_stderr();
        let target = ProgressDrawTarget::term(term.clone(), Self::HERTZ);
        let size = move || {
            let (rows, columns) = term.size();
            Size { rows, columns }
        };
        Self::new(look, (out, err), target, Box::new(size))
    }

    pub(super) fn new(
        look: Look,
        (out, err): (&'a mut (dyn Write + Send), &'a mut (dyn Write + Send)),
        target: ProgressDrawTarget,
        size: Box<dyn Fn() -> Size + Send>,
    ) -> Self {
        let detail = if look.verbose { Detail::Output } else { Detail::Milestones };
        let bar = ProgressBar::with_draw_target(None, target);
        // The default style's template differs, but it is a bar all the same: worse looks beat no looks.
        bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let (story, screen) = (Story::new(detail), Screen::default());
        Self { story, screen, bar, size, pending: Vec::new(), asked: false, out, err }
    }

    fn columns(&self) -> usize {
        usize::from((self.size)().columns)
    }

    fn take(&mut self, told: &Told) -> io::Result<()> {
        self.pending.extend(told.aside.iter().map(|line| line.painted()));
        if told.result.is_empty() {
            return Ok(());
        }
        self.keep_pending();
        self.bar.finish_and_clear();
        for line in &told.result {
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()
    }

    fn ask(&mut self, question: &str) -> io::Result<()> {
        self.keep_pending();
        self.bar.finish_and_clear();
        self.asked = true;
        write!(self.err, "{question}")?;
        self.err.flush()
    }

    /// The lines live again; the cursor is at the start of a line, where whoever was asked left it.
    fn answered(&mut self, event: &Event) -> io::Result<()> {
        if !std::mem::take(&mut self.asked) {
            return Ok(());
        }
        self.bar.reset();
        if matches!(event, Event::ApprovalAnswered { reply: Reply::Yes | Reply::No }) {
            return Ok(());
        }
        writeln!(self.err)?;
        self.err.flush()
    }

    fn keep_pending(&mut self) {
        if !self.pending.is_empty() {
            self.bar.println(self.pending.join("\n"));
            self.pending.clear();
        }
    }
}

impl Face for Bars<'_> {
    fn show(&mut self, event: &Event) -> io::Result<()> {
        self.screen.take(event, Instant::now());
        self.answered(event)?;
        let told = self.story.tell(event, Some(self.columns()));
        self.take(&told)?;
        told.question.as_ref().map_or(Ok(()), |question| self.ask(question))
    }

    fn is_live(&self) -> bool {
        !self.bar.is_finished()
    }

    fn tick(&mut self) -> io::Result<()> {
        let frame = self.screen.frame(Instant::now(), (self.size)());
        self.keep_pending();
        self.bar.set_message(frame.join("\n"));
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let told = self.story.end(Some(self.columns()));
        self.take(&told)?;
        self.keep_pending();
        self.bar.finish_and_clear();
        Ok(())
    }
}
