use regex::Regex;

/// A shell's pattern for whole names: `*`, `?`, `[a-z]`, `[!a-z]`; there is no way to escape one of these but in brackets.
#[derive(Debug)]
pub(super) struct Glob(Regex);

impl Glob {
    /// Reads a pattern. Brackets that do not close are themselves.
    ///
    /// # Errors
    /// Where a range runs backwards.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let mut expression = String::from("(?s)^");
        let mut rest = pattern;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '*' => expression.push_str(".*"),
                '?' => expression.push('.'),
                '[' => match closing(rest) {
                    Some(end) => {
                        expression.push_str(&class(&rest[..end]));
                        rest = &rest[end + 1..];
                    }
                    None => expression.push_str("\\["),
                },
                c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        expression.push('$');
        Regex::new(&expression).map(Self).map_err(|_| format!("`{pattern}` is no pattern"))
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// Where the bracket closes: not at the first character, which may be a `]` itself.
fn closing(rest: &str) -> Option<usize> {
    let from = usize::from(rest.starts_with('!'));
    let from = from + usize::from(rest[from..].starts_with(']'));
    rest[from..].find(']').map(|place| from + place)
}

fn class(inner: &str) -> String {
    let (negated, inner) = inner.strip_prefix('!').map_or(("", inner), |inner| ("^", inner));
    // A hyphen at either end is one; in between it makes a range.
    let last = inner.chars().count().saturating_sub(1);
    let member = |(place, c): (usize, char)| match c {
        '-' if place > 0 && place < last => "-".to_owned(),
        c if c.is_alphanumeric() => c.to_string(),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    };
    format!("[{negated}{}]", inner.chars().enumerate().map(member).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns_are_those_of_a_shell() {
        for (pattern, name, expected) in [
            ("*web*", "eu-web-1", true),
            ("web?", "web1", true),
            ("web?", "web10", false),
            ("web[1-3]", "web2", true),
            ("web[!1-3]", "web2", false),
            ("web[!1-3]", "web4", true),
            ("[]a]x", "]x", true),
            ("[a^]", "^", true),
            ("[a-]", "-", true),
            ("[&&]", "&", true),
            ("web[", "web[", true),
            ("a.b", "axb", false),
            ("", "", true),
        ] {
            assert_eq!(Glob::new(pattern).unwrap().matches(name), expected, "{pattern} {name}");
        }
        assert!(Glob::new("[z-a]").is_err());
    }
}
