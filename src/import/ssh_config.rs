use std::fs;
use std::path::{Path, PathBuf};

use super::found::{Found, Given, Notes, Place};
use super::import_error::ImportError;
use super::source::Source;
use crate::inventory::Workstation;

/// The hosts that an ssh_config and what it includes name without wildcards, each with what holds for it.
///
/// # Errors
/// When it names no host and cannot be understood, or files include each other.
pub(super) fn read(
    source: Source<'_>,
    workstation: &Workstation,
    notes: &mut Notes,
) -> Result<Vec<Found>, ImportError> {
    let mut config = Config { home: workstation.home.as_deref(), names: Vec::new(), settings: Vec::new() };
    config.read(source, &[], 0, notes)?;
    Ok(config.names.iter().filter_map(|name| config.host(name, notes)).collect())
}

struct Config<'a> {
    home: Option<&'a Path>,
    names: Vec<Given>,
    settings: Vec<Setting>,
}

struct Setting {
    /// `Host` lines that must all match.
    when: Vec<Vec<String>>,
    /// In lower case.
    keyword: String,
    value: Given,
}

/// As OpenSSH has it.
const DEEPEST_INCLUDE: usize = 16;

impl Config<'_> {
    fn read(
        &mut self,
        source: Source<'_>,
        outer: &[Vec<String>],
        depth: usize,
        notes: &mut Notes,
    ) -> Result<(), ImportError> {
        let mut own: Option<Vec<String>> = None;
        for (at, line) in source.lines() {
            let Some((keyword, rest)) = keyword(line) else { continue };
            let refuse = |message: String| ImportError::Syntax { at: at.clone(), message };
            let words = shlex::split(rest).ok_or_else(|| refuse("a quote that is not closed".to_owned()))?;
            match keyword.as_str() {
                "host" => {
                    let named = words.iter().filter(|word| !word.contains(['*', '?']) && !word.starts_with('!'));
                    for name in named {
                        if !self.names.iter().any(|before| before.text == *name) {
                            self.names.push(Given::new(name, &at));
                        }
                    }
                    own = Some(words);
                }
                "match" if words.len() == 1 && words.iter().all(|word| word.eq_ignore_ascii_case("all")) => {
                    own = Some(vec!["*".to_owned()]);
                }
                "match" => {
                    notes.say(&at, "what stands under `Match` is left out: it holds for no host by its name alone");
                    own = Some(Vec::new());
                }
                "include" => {
                    if depth == DEEPEST_INCLUDE {
                        return Err(refuse("files include each other more than 16 deep".to_owned()));
                    }
                    let when: Vec<_> = outer.iter().chain(&own).cloned().collect();
                    for pattern in &words {
                        self.include(pattern, source.file, &when, depth, &at, notes)?;
                    }
                }
                _ => self.settings.push(Setting {
                    when: outer.iter().chain(&own).cloned().collect(),
                    value: Given::new(if keyword == "proxycommand" { rest.to_owned() } else { words.join(" ") }, &at),
                    keyword,
                }),
            }
        }
        Ok(())
    }

    fn include(
        &mut self,
        pattern: &str,
        from: &Path,
        when: &[Vec<String>],
        depth: usize,
        at: &Place,
        notes: &mut Notes,
    ) -> Result<(), ImportError> {
        let path = match (pattern.strip_prefix("~/"), self.home) {
            (Some(below), Some(home)) => home.join(below),
            // In ~/.ssh, where the file itself is.
            _ => from.parent().unwrap_or(Path::new("")).join(pattern),
        };
        let Some(files) = files(&path) else {
            notes.say(at, format!("`{pattern}` is not included: wildcards are read in a file's name only"));
            return Ok(());
        };
        for file in files {
            match fs::read_to_string(&file) {
                Ok(text) => self.read(Source { file: &file, text: &text }, when, depth + 1, notes)?,
                Err(error) => notes.say(at, format!("`{}` is not included: {error}", file.display())),
            }
        }
        Ok(())
    }

    fn host(&self, name: &Given, notes: &mut Notes) -> Option<Found> {
        let said = |keyword: &'static str| {
            let holds = |setting: &&Setting| setting.when.iter().all(|patterns| matches(patterns, &name.text));
            self.settings
                .iter()
                .filter(move |setting| setting.keyword == keyword)
                .filter(holds)
                .map(|setting| &setting.value)
        };
        // The first value counts, but of keys all do.
        let first = |keyword| said(keyword).next().cloned();
        let mut host = Found::new(name.clone());
        host.user = first("user");
        if host.user.as_ref().is_some_and(|user| user.text == "git") {
            notes.say(
                &name.at,
                format!("`{}` is left out: who logs in is `git`, so it is no host to run commands on", name.text),
            );
            return None;
        }
        host.port = first("port");
        host.address = first("hostname").map(|address| Given {
            text: address.text.replace("%h", &name.text).replace("%n", &name.text).replace("%%", "%"),
            ..address
        });
        for identity in said("identityfile").filter(|identity| identity.text != "none") {
            let text = identity.text.replace("%d", "~").replace("%n", &name.text);
            if text.contains('%') {
                notes.say(&identity.at, format!("the key `{text}` is left out: what `%` stands for is ssh's to know"));
            } else {
                host.identities.push(Given::new(text, &identity.at));
            }
        }
        host.through = ["proxyjump", "proxycommand"].into_iter().find_map(|keyword| {
            let way = first(keyword).filter(|way| way.text != "none")?;
            Some(format!("Reached through {}: that stays in ssh_config, which kfleet reads.", way.text))
        });
        Some(host)
    }
}

/// A line's keyword in lower case, and the rest of it.
fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim();
    let end = line.find(|c: char| c.is_whitespace() || c == '=').filter(|_| !line.starts_with('#'))?;
    let rest = line[end..].trim_start();
    Some((line[..end].to_ascii_lowercase(), rest.strip_prefix('=').unwrap_or(rest).trim()))
}

/// Whether one of the patterns matches and none that begins with `!` does.
fn matches(patterns: &[String], name: &str) -> bool {
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
fn files(path: &Path) -> Option<Vec<PathBuf>> {
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
