//! What is wrong with an inventory, for a person: each problem with file, line, caret and hint.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use crate::base::printable;
use crate::inventory::{InventoryError, Problem};

/// Without colour, for pipes, files and NO_COLOR.
#[must_use]
pub fn plain(error: &InventoryError) -> String {
    render(error, GraphicalTheme::unicode_nocolor())
}

/// As [`plain`], in colour.
#[must_use]
pub fn coloured(error: &InventoryError) -> String {
    render(error, GraphicalTheme::unicode())
}

/// Mending these may well mend the rest.
const MOST_PROBLEMS: usize = 20;
const WIDTH: usize = 100;

fn render(error: &InventoryError, theme: GraphicalTheme) -> String {
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    let origin = printable(&error.origin().to_string_lossy());
    let source = NamedSource::new(&origin, harmless(error.text()));
    let mut report = String::new();
    for problem in error.problems().iter().take(MOST_PROBLEMS) {
        let message = match problem.labels.as_slice() {
            [] => format!("{origin}: {}", printable(&problem.message)),
            _ => printable(&problem.message),
        };
        let shown = Shown { message, problem, source: &source };
        // The only way to fail is the string's, which has none.
        let _ = handler.render_report(&mut report, &shown);
        report.push('\n');
    }
    let more = error.problems().len().saturating_sub(MOST_PROBLEMS);
    if more > 0 {
        report.push_str(&format!("  and {more} more problems\n"));
    }
    // An empty line of the source is drawn with a blank behind its number.
    report.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The text with every character that a terminal would act on replaced, byte for byte, so that places stay where they are.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => harmless.push(c),
            // Of a line end; a caret may stand here.
            '\r' => harmless.push(' '),
            c if printable(c.encode_utf8(&mut [0; 4])).is_empty() => (0..c.len_utf8()).for_each(|_| harmless.push('?')),
            c => harmless.push(c),
        }
    }
    harmless
}

/// A problem in the shape that miette draws.
#[derive(Debug)]
struct Shown<'a> {
    message: String,
    problem: &'a Problem,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.hint.as_ref().map(|hint| Box::new(printable(hint)) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.problem.labels.is_empty()).then_some(self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.problem.labels.iter().enumerate().map(|(nth, label)| {
            let text = Some(printable(&label.text)).filter(|text| !text.is_empty());
            // A caret behind the last character would not be drawn.
            let last = self.source.inner().char_indices().next_back().map_or(0, |(at, _)| at);
            let start = label.span.start.min(last);
            let span = (start, label.span.end.saturating_sub(start));
            if nth == 0 {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        });
        (!self.problem.labels.is_empty()).then(|| Box::new(labels) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
