use super::{printable, redact};

/// More of one line, in characters, tells nobody anything.
const LONGEST: usize = 4_000;

/// What a host said, fit to be told to people and programs: printable, without bootstrap tokens, and no longer than anybody
/// would read.
#[must_use]
pub fn told(text: &str) -> String {
    // Before, since colours are gone afterwards and their letters stick to the token; and after, since what was between its
    // letters is gone.
    let mut told = redact(&printable(&redact(text)));
    if let Some((end, _)) = told.char_indices().nth(LONGEST) {
        told.truncate(end);
        told.push_str(" …");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, told};

    #[test]
    fn what_is_told_has_an_end_and_no_secret() {
        assert_eq!(told("\x1b[1;31mabcdef.0123456789abcdef\x1b[0m\r"), "[1;31mabcdef.***[0m");
        assert_eq!(told("abc\rdef.01234567\x0789abcdef"), "abcdef.***");
        let endless = told(&"é".repeat(1 << 20));
        assert_eq!((endless.chars().count(), endless.ends_with("é …")), (LONGEST + 2, true));
        assert_eq!(told(&"x".repeat(LONGEST)), "x".repeat(LONGEST));
    }
}
