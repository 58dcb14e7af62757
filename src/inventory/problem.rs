use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::base::printable;

/// Why an inventory is refused: everything that is wrong with it, in the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryError {
    origin: PathBuf,
    text: String,
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A fragment in lower case.
    pub message: String,
    /// The places it is about, the one to mend first; none where there is no file to point into.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A place in the inventory's text and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// In bytes of [`InventoryError::text`].
    pub span: Range<usize>,
    /// May be empty, where pointing says enough.
    pub text: String,
}

impl InventoryError {
    pub(super) fn new(origin: &Path, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.labels.first().map_or(0, |label| label.span.start));
        Self { origin: origin.to_owned(), text: text.to_owned(), problems }
    }

    /// The file, as it was named.
    #[must_use]
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// What the file says, without a byte order mark; empty where it could not be read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// At least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Line and column of a byte of the text, both from 1, the column in characters.
    #[must_use]
    pub fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
    }
}

/// `inventory.toml:3:7: what is wrong`, a line a problem.
impl fmt::Display for InventoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = printable(&self.origin.to_string_lossy());
        for (nth, problem) in self.problems.iter().enumerate() {
            if nth > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&origin)?;
            if let Some(label) = problem.labels.first() {
                let (line, column) = self.position(label.span.start);
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {}", printable(&problem.message))?;
        }
        Ok(())
    }
}

impl std::error::Error for InventoryError {}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), labels: Vec::new(), hint: None }
    }

    pub(super) fn at(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// As [`Problem::at`], where there may be no place because the value is a default.
    pub(super) fn at_given(self, span: Option<Range<usize>>, text: impl Into<String>) -> Self {
        match span {
            Some(span) => self.at(span, text),
            None => self,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What is wrong with a text, before it is known where the text stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Which bytes of the text; all of it where this is `None`.
    pub(super) within: Option<Range<usize>>,
}

impl Complaint {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, within: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn within(self, within: Range<usize>) -> Self {
        Self { within: Some(within), ..self }
    }
}

/// Collects problems while reading goes on, so that one run shows all of them.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(super) fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    pub(super) fn into_inner(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}
