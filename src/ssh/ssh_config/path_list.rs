use std::path::{Path, PathBuf};

use crate::ssh::settings::at_home;

/// No list of files has more words that begin no path.
const LONGEST_PATH: usize = 16;

/// Takes apart the paths that `ssh -G` says on one line, with a blank between them and no quotes around those that have one
/// themselves. A path begins with `/`, `~/` or at the start of the line; what else comes behind a blank belongs to the path before
/// it.
///
/// # Errors
/// Where it could be meant otherwise as well, by the files that are there: a wrong one would be believed, and written to.
pub(super) fn paths(line: &str) -> Result<Vec<PathBuf>, String> {
    let words: Vec<&str> = line.split(' ').collect();
    let starts = (0..words.len()).filter(|&at| at == 0 || words[at].starts_with(['/', '~']) || words[at] == "none");
    let starts: Vec<usize> = starts.collect();
    let mut paths: Vec<PathBuf> = Vec::with_capacity(starts.len());
    for (nth, &start) in starts.iter().enumerate() {
        let end = starts.get(nth + 1).copied().unwrap_or(words.len());
        let path = whole(&words[start..end])?;
        if let Some(before) = paths.last() {
            not_one(before, &path)?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// The words as one path, where nothing speaks for several.
fn whole(words: &[&str]) -> Result<PathBuf, String> {
    let path = PathBuf::from(words.join(" "));
    let [first, _, ..] = words else { return Ok(path) };
    if words.len() > LONGEST_PATH {
        return Err("it has too many blanks".to_owned());
    }
    if is_file(&path) {
        return Ok(path);
    }
    let parts = (0..words.len()).flat_map(|from| (from + 1..=words.len()).map(move |to| words[from..to].join(" ")));
    match parts.map(PathBuf::from).find(|part| is_file(part)) {
        Some(part) => Err(format!("there is {}, and no {}", part.display(), path.display())),
        None if first.starts_with(['/', '~']) => Ok(path),
        None => Err(format!("there is no {}", path.display())),
    }
}

/// That two paths are not one with a blank between them.
fn not_one(one: &Path, other: &Path) -> Result<(), String> {
    let together = PathBuf::from(format!("{} {}", one.display(), other.display()));
    let directory = together.parent().filter(|directory| Some(*directory) != one.parent());
    let there =
        directory.filter(|directory| at_home(directory).is_dir()).or(Some(&*together).filter(|path| is_file(path)));
    there.map_or(Ok(()), |there| Err(format!("there is {}", there.display())))
}

fn is_file(path: &Path) -> bool {
    // Of whatever kind: /dev/null is none that is_file knows.
    at_home(path).metadata().is_ok_and(|found| !found.is_dir())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::paths;

    #[test]
    fn a_line_is_taken_apart_where_it_is_clear() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().display().to_string();
        for made in ["My Keys", "end "] {
            fs::create_dir(directory.path().join(made)).unwrap();
        }
        for made in ["a", "My Keys/kh", "two", "two words", "end /kh", "x none"] {
            fs::write(directory.path().join(made), "").unwrap();
        }
        let fill = |text: &str| text.replace('@', &at);
        for (line, expected) in [
            ("@/a", &["@/a"][..]),
            ("none", &["none"]),
            ("kh", &["kh"]),
            ("@/a @/b", &["@/a", "@/b"]),
            ("~/.ssh/known_hosts ~/.ssh/known_hosts2", &["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]),
            ("@/My Keys/kh", &["@/My Keys/kh"]),
            ("@/My Keys/new @/a", &["@/My Keys/new", "@/a"]),
            (
                "/home/My Home/.ssh/known_hosts /home/My Home/k2",
                &["/home/My Home/.ssh/known_hosts", "/home/My Home/k2"],
            ),
            ("@/new  file", &["@/new  file"]),
            ("@/two words", &["@/two words"]),
        ] {
            let expected = expected.iter().map(|path| PathBuf::from(fill(path))).collect();
            assert_eq!(paths(&fill(line)), Ok(expected), "{line}");
        }
        for (line, reason) in [
            // One of them is there, and ssh may mean that.
            ("@/two new", "there is @/two, and no @/two new"),
            ("@/a @/two Keys/kh", "there is @/two, and no @/two Keys/kh"),
            ("/dev/null new", "there is /dev/null, and no /dev/null new"),
            ("new other", "there is no new other"),
            ("@/end /kh", "there is @/end "),
            ("@/x none", "there is @/x none"),
            (&"x ".repeat(20), "it has too many blanks"),
        ] {
            assert_eq!(paths(&fill(line)), Err(fill(reason)), "{line}");
        }
    }
}
