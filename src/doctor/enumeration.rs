/// How many names a person reads before the rest is only counted.
const NAMED: usize = 8;

/// `h1`, `h1 and h2`, `h1, h2 and h3`, or the first eight `and 42 more`.
pub(super) fn enumeration<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        many => format!("{} and {} more", many[..NAMED].join(", "), many.len() - NAMED),
    }
}

#[cfg(test)]
mod tests {
    use super::enumeration;

    #[test]
    fn a_long_fleet_is_counted() {
        let names: Vec<String> = (1..=50).map(|n| format!("h{n}")).collect();
        assert_eq!(enumeration(&names[..1]), "h1");
        assert_eq!(enumeration(&names[..3]), "h1, h2 and h3");
        assert_eq!(enumeration(&names[..8]), "h1, h2, h3, h4, h5, h6, h7 and h8");
        assert_eq!(enumeration(&names), "h1, h2, h3, h4, h5, h6, h7, h8 and 42 more");
    }
}
