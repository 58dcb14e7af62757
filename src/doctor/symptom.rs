use regex::Regex;

use super::cause::Cause;

/// Words that show a cause.
pub(super) struct Symptom {
    /// Which text has them.
    pub(super) place: Where,
    /// The words, of one line.
    pattern: Regex,
    /// What is the matter; `$1` is the pattern's first group.
    what: &'static str,
    /// What to do; `$1` likewise.
    hint: &'static str,
}

/// Who says it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// kubeadm, on its standard output and error.
    Kubeadm,
    /// The kubelet, in its journal.
    Journal,
}

impl Symptom {
    #[expect(clippy::unwrap_used, reason = "the patterns are constants, and every test of a cause compiles them all")]
    pub(super) fn new(place: Where, pattern: &str, what: &'static str, hint: &'static str) -> Self {
        Self { place, pattern: Regex::new(pattern).unwrap(), what, hint }
    }

    pub(super) fn found_in(&self, text: &str) -> Option<Cause> {
        let found = self.pattern.captures(text)?;
        let expand = |template: &str| {
            let mut words = String::new();
            found.expand(template, &mut words);
            words
        };
        Some(Cause { what: expand(self.what), hint: expand(self.hint) })
    }
}
