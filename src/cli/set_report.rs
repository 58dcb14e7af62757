//! What is wrong with a node set on the command line, for a person: the place under a caret.

use console::measure_text_width;

use crate::base::printable;
use crate::nodes::NodeSetError;

/// What of a long text is shown before its wrong place, and from there on.
const CHARS: usize = 40;

/// The message for the set `text` that `flag` was given.
pub(super) fn told(flag: &str, text: &str, error: &NodeSetError) -> String {
    let part = |at: std::ops::Range<usize>| text.get(at).unwrap_or_default();
    let (before, wrong, after) = (part(0..error.at.start), part(error.at.clone()), part(error.at.end..text.len()));
    let skipped = before.chars().count().saturating_sub(CHARS);
    let before: String = before.chars().skip(skipped).collect();
    let rest: String = wrong.chars().chain(after.chars()).take(CHARS).collect();
    let cut = |is_cut| if is_cut { "…" } else { "" };
    let before = format!("{}{}", cut(skipped > 0), printable(&before));
    let is_cut = wrong.chars().count() + after.chars().count() > CHARS;
    let rest = format!("{}{}", printable(&rest), cut(is_cut));
    let wrong: String = wrong.chars().take(CHARS).collect();
    let carets = "^".repeat(measure_text_width(&printable(&wrong)).max(1));
    let blank = " ".repeat(measure_text_width(&before));
    format!("{flag}: {}\n  {before}{rest}\n  {blank}{carets}", printable(&error.message))
}

#[cfg(test)]
mod tests {
    use crate::nodes::Expression;

    use super::told;

    #[test]
    fn the_wrong_place_is_under_the_carets() {
        for (set, said) in [
            ("n[1-3", "--hosts: a `[` without its `]`\n  n[1-3\n   ^"),
            ("创,n[5-1]", "--hosts: the range `5-1` runs backwards\n  创,n[5-1]\n       ^^^"),
            ("a,", "--hosts: a name is missing here\n  a,\n   ^"),
            ("", "--hosts: a name is missing here\n  \n  ^"),
            ("a\u{1b}[2J", "--hosts: a `[` without its `]`\n  a[2J\n   ^"),
        ] {
            assert_eq!(told("--hosts", set, &Expression::parse(set).unwrap_err()), said);
        }
        let long = format!("{},b[,{}", "a".repeat(500), "c".repeat(500));
        let said = told("--hosts", &long, &Expression::parse(&long).unwrap_err());
        assert!(said.lines().all(|line| line.chars().count() < 90), "{said}");
    }
}
