use std::ops::Range;

use crate::base::printable;

/// Holds that `text` cannot speak to a terminal.
pub(super) fn is_printable(text: &str) {
    assert_eq!(text, printable(text), "it would speak to the terminal");
}

/// Holds that every line of `text` is printable.
pub(super) fn has_printable_lines(text: &str) {
    text.split('\n').for_each(is_printable);
}

/// Holds that a place that is pointed at is one of `text`, at whole characters.
pub(super) fn is_within(text: &str, place: &Range<usize>) {
    assert!(text.get(place.clone()).is_some(), "{place:?} is no place in {} bytes", text.len());
}
