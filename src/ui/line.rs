use console::Style;

use crate::base::printable;

/// A line for a person, and how it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    tone: Tone,
    text: String,
}

/// How a line is meant; a colour, where there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// As the terminal has it.
    Even,
    /// Something changed.
    Change,
    /// Of less weight, such as remote output.
    Quiet,
    /// To be looked at.
    Warning,
    /// A failure.
    Failure,
}

impl Line {
    /// A line of which nothing can speak to the terminal, wherever the text came from.
    pub(super) fn new(tone: Tone, text: &str) -> Self {
        Self { tone, text: printable(text) }
    }

    /// The line without colours.
    pub(super) fn plain(&self) -> &str {
        &self.text
    }

    /// The line with colours.
    pub(super) fn painted(&self) -> String {
        let style = Style::new().force_styling(true);
        let style = match self.tone {
            Tone::Even => return self.text.clone(),
            Tone::Change => style.green(),
            Tone::Quiet => style.dim(),
            Tone::Warning => style.yellow(),
            Tone::Failure => style.red().bold(),
        };
        style.apply_to(&self.text).to_string()
    }
}
