use std::fs;
use std::path::{Path, PathBuf};

use crate::base::wildcard;

/// Whether one of the patterns matches and none that begins with `!` does.
pub(super) fn matches(patterns: &[String], name: &str) -> bool {
    let (not, yes): (Vec<&String>, Vec<&String>) = patterns.iter().partition(|pattern| pattern.starts_with('!'));
    yes.iter().any(|pattern| like(pattern, name)) && !not.iter().any(|pattern| like(&pattern[1..], name))
}

fn like(pattern: &str, text: &str) -> bool {
    wildcard(pattern.as_bytes(), text.as_bytes())
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
    use super::matches;

    #[test]
    fn what_is_excluded_stays_so() {
        let patterns = ["*.lan".to_owned(), "!db.lan".to_owned()];
        assert!(matches(&patterns, "web.lan") && !matches(&patterns, "db.lan") && !matches(&patterns[1..], "web.lan"));
    }
}
