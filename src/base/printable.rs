/// Remote text made safe for a terminal: control characters are gone, tabs are spaces, the rest is as it came.
///
/// An escape sequence loses its ESC and is then harmless text. Bidirectional overrides, which can make a line read as
/// another, go too.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\t' => Some(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => None,
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_terminal_is_never_spoken_to() {
        assert_eq!(printable("\x1b]0;owned\x07a\tb\r\u{9b}31m\u{202e}c"), "]0;owneda b31mc");
    }

    #[test]
    fn other_languages_stay_readable() {
        assert_eq!(printable("创建 é ☸"), "创建 é ☸");
    }
}
