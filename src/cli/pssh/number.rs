/// A whole number as pssh's option parser reads it: `0x` and `0b` are what they look like, and a leading `0` means octal.
///
/// # Errors
/// Where it is none.
pub(super) fn number(text: &str) -> Result<i64, String> {
    let wrong = |_| format!("`{text}` is no whole number");
    let lower = text.trim().to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, lower.as_str()),
        _ => (10, lower.as_str()),
    };
    i64::from_str_radix(digits, radix).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_four_bases() {
        for (text, expected) in [("32", 32), ("0", 0), ("-1", -1), ("010", 8), ("0x10", 16), ("0b11", 3)] {
            assert_eq!(number(text), Ok(expected), "{text}");
        }
        for text in ["", "x", "08", "1.5", "0x", "9999999999999999999"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
