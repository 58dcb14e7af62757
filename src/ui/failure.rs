use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::base::printable;
use crate::events::Failure;

use super::line::{Line, Tone};

/// What a failure's parts are told beside, two columns in.
const LABEL: usize = "  command  ".len();

/// A failure as every human face tells it: host, step and reason, then the command, how it ended, the last lines it
/// wrote, and what to do; wrapped to `columns`.
pub(super) fn failure_lines(host: &str, failure: &Failure, columns: Option<usize>) -> Vec<Line> {
    let step = failure.step.as_ref().map_or_else(String::new, |step| format!("{step}: "));
    let head = format!("{host}: failed: {step}{}", failure.reason);
    let mut lines = wrapped(Tone::Failure, &head, "", "  ", columns);
    let mut part = |tone, label: &str, text: &str| {
        lines.extend(wrapped(
            tone,
            text,
            &format!("  {label:<width$}", width = LABEL - 2),
            &" ".repeat(LABEL),
            columns,
        ));
    };
    if let Some(command) = &failure.command {
        part(Tone::Even, "command", command);
    }
    if let Some(status) = &failure.status {
        part(Tone::Even, "status", status);
    }
    for (index, line) in failure.output.iter().enumerate() {
        part(Tone::Quiet, if index == 0 { "output" } else { "" }, line);
    }
    if let Some(hint) = &failure.hint {
        part(Tone::Warning, "hint", hint);
    }
    lines
}

/// `text` made printable and broken between words, or within one that is longer than a line.
pub(super) fn wrapped(tone: Tone, text: &str, first: &str, next: &str, columns: Option<usize>) -> Vec<Line> {
    let text = printable(text);
    let Some(columns) = columns else { return vec![Line::new(tone, &format!("{first}{text}"))] };
    // On a terminal too narrow for the indent the terminal may break the lines itself.
    let options = Options::new(columns.max(next.len() + 20))
        .initial_indent(first)
        .subsequent_indent(next)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(&text, options).iter().map(|line| Line::new(tone, line)).collect()
}
