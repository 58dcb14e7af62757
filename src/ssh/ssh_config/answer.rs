use std::collections::BTreeMap;

use super::question::Question;
use super::tokens::Tokens;

/// What `ssh -G` says: every option by its keyword in lower case, some of them several times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    said: BTreeMap<String, Vec<String>>,
}

impl Answer {
    /// Reads the lines `keyword value`.
    pub(super) fn read(text: &str) -> Self {
        let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text.lines() {
            let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
            said.entry(keyword.to_ascii_lowercase()).or_default().push(value.to_owned());
        }
        Self { said }
    }

    /// Everything said under a keyword.
    pub(super) fn all(&self, keyword: &str) -> &[String] {
        self.said.get(keyword).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is said under a keyword that is there once at most; `none` says nothing.
    pub(super) fn one(&self, keyword: &str) -> Option<&str> {
        self.all(keyword).first().map(String::as_str).filter(|value| !value.is_empty() && *value != "none")
    }

    /// A number under a keyword.
    pub(super) fn number<T: std::str::FromStr>(&self, keyword: &str) -> Option<T> {
        self.one(keyword)?.parse().ok()
    }

    /// Yes or no under a keyword, in all of ssh's ways to say it.
    pub(super) fn yes(&self, keyword: &str) -> bool {
        matches!(self.one(keyword), Some("yes" | "true"))
    }

    /// The jump hosts on the way to what `question` was about, with commas between them.
    pub(super) fn jumps(&self, question: &Question) -> Result<Option<String>, String> {
        let Some(jumps) = self.one("proxyjump") else { return Ok(None) };
        Tokens::of(question, self).expand("ProxyJump", jumps).map(Some)
    }
}
