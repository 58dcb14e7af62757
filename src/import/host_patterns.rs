use std::fs;
use std::path::{Path, PathBuf};

/// Whether one of the patterns matches and none that begins with `!` does.
pub(super) fn matches(patterns: &[String], name: &str) -> bool {
    let (not, yes): (Vec<&String>, Vec<&String>) = patterns.iter().partition(|pattern| pattern.starts_with('!'));
    yes.iter().any(|pattern| like(pattern, name)) && !not.iter().any(|pattern| like(&pattern[1..], name))
}

/// `*` is any text, `?` any one byte.
fn like(pattern: &str, text: &str) -> bool {
    // The states that the pattern can be in after each byte.
    let pattern = pattern.as_bytes();
    let skip_stars = |mut states: Vec<bool>| {
        for at in 0..pattern.len() {
            states[at + 1] |= states[at] && pattern[at] == b'*';
        }
        states
    };
    let mut states = vec![false; pattern.len() + 1];
    states[0] = true;
    states = skip_stars(states);
    for byte in text.bytes() {
        let mut next = vec![false; pattern.len() + 1];
        for at in 0..pattern.len() {
            next[at] |= states[at] && pattern[at] == b'*';
            next[at + 1] |= states[at] && (pattern[at] == b'?' || pattern[at] == byte);
        }
        states = skip_stars(next);
    }
    states[pattern.len()]
}

/// The files that a path with wildcards in its last part stands for; `None` where they are elsewhere.
pub(super) fn files(path: &Path) -> Option<Vec<PathBuf>> {
    let wild = |part: &str| part.contains(['*', '?', '[']);
    let directory = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name()?.to_str()?;
    if wild(&directory.to_string_lossy()) || name.contains('[') {
        return None;
    }
    if !wild(name) {
        // One that is not there is no error to ssh either.
        return Some(if path.exists() { vec![path.to_owned()] } else { Vec::new() });
    }
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
    let mut names: Vec<_> = entries.filter_map(|entry| entry.into_string().ok()).collect();
    names.retain(|entry| like(name, entry) && !entry.starts_with('.'));
    names.sort();
    Some(names.into_iter().map(|entry| directory.join(entry)).collect())
}

#[cfg(test)]
mod tests {
    use super::{like, matches};

    #[test]
    fn patterns_are_openssh_s() {
        for (pattern, text, is) in [
            ("*", "", true),
            ("node?", "node1", true),
            ("node?", "node", false),
            ("*.lan", "a.b.lan", true),
            ("*.lan", "lan", false),
            ("n*d*1", "node1", true),
            ("node1", "node11", false),
        ] {
            assert_eq!(like(pattern, text), is, "{pattern} {text}");
        }
        let patterns = ["*.lan".to_owned(), "!db.lan".to_owned()];
        assert!(matches(&patterns, "web.lan") && !matches(&patterns, "db.lan") && !matches(&patterns[1..], "web.lan"));
    }
}
