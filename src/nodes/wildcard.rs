/// Whether a name is what a mask asks for: `*` is any text, none included, and `?` is one character.
pub(super) fn matches(mask: &str, name: &str) -> bool {
    let (mask, name): (Vec<char>, Vec<char>) = (mask.chars().collect(), name.chars().collect());
    let (mut at, mut of_name) = (0, 0);
    // Where the last star stood, and up to where it has eaten the name.
    let mut star: Option<(usize, usize)> = None;
    while of_name < name.len() {
        match mask.get(at) {
            Some('*') => {
                star = Some((at, of_name));
                at += 1;
            }
            Some(&c) if c == '?' || c == name[of_name] => {
                at += 1;
                of_name += 1;
            }
            _ => {
                let Some((star_at, eaten)) = &mut star else { return false };
                *eaten += 1;
                (at, of_name) = (*star_at + 1, *eaten);
            }
        }
    }
    mask[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for (mask, name, expected) in [
            ("*", "", true),
            ("*", "node1", true),
            ("node?", "node1", true),
            ("node?", "node", false),
            ("node?", "node10", false),
            ("*1*", "node10", true),
            ("*-ab", "x-a-ab", true),
            ("a*b*c", "aXbXbYc", true),
            ("a*b*c", "aXbXbY", false),
            ("**?", "é", true),
            ("node", "node1", false),
        ] {
            assert_eq!(matches(mask, name), expected, "{mask} {name}");
        }
    }
}
