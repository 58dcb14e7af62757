use crate::facts::{Facts, File};

/// The values of a record that a job keeps on its host, a `key=value` a line; `None` where there is no such record.
pub(super) fn kept<'a>(facts: &'a Facts, path: &str) -> Option<impl Fn(&str) -> Option<&'a str>> {
    let File::Present { contents, .. } = facts.files.get(path)? else { return None };
    Some(|key: &str| contents.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')))
}
