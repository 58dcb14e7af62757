use std::collections::BTreeMap;
use std::fmt;

/// What is in a tree and is not transferred: pipes, sockets and devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    counts: BTreeMap<&'static str, usize>,
}

impl LeftOut {
    pub(super) fn add(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Whether all is transferred.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (what, count)) in self.counts.iter().enumerate() {
            let (comma, s) = (if nth == 0 { "" } else { ", " }, if *count == 1 { "" } else { "s" });
            write!(f, "{comma}{count} {what}{s}")?;
        }
        write!(f, " left out")
    }
}
