use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::base::printable;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", printable(&self.file), self.line)
    }
}

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) at: Place,
}

impl Given {
    pub(super) fn new(text: impl Into<String>, at: &Place) -> Self {
        Self { text: text.into(), at: at.clone() }
    }
}

/// One host as a file has it; nothing of it was judged.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// What the file calls it.
    pub(super) name: Given,
    /// Where it is; by its name where that is not said.
    pub(super) address: Option<Given>,
    pub(super) user: Option<Given>,
    pub(super) port: Option<Given>,
    pub(super) identities: Vec<Given>,
    pub(super) node_ip: Option<Given>,
    pub(super) groups: Vec<Given>,
    pub(super) variables: BTreeMap<String, Given>,
    /// The ssh_config that has to be asked for it, where that is not the user's.
    pub(super) config: Option<Given>,
    /// Jump hosts or a proxy command, for a comment.
    pub(super) through: Option<String>,
    /// What is in the way of it being a worker, for a comment.
    pub(super) caution: Option<String>,
    /// Whether the file says that it is a control plane.
    pub(super) control_plane: bool,
}

impl Found {
    pub(super) fn new(name: Given) -> Self {
        Self {
            name,
            address: None,
            user: None,
            port: None,
            identities: Vec::new(),
            node_ip: None,
            groups: Vec::new(),
            variables: BTreeMap::new(),
            config: None,
            through: None,
            caution: None,
            control_plane: false,
        }
    }
}

/// Something that was left out or changed on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it stands in the file that was read.
    pub at: Place,
    /// A fragment in lower case, fit for a terminal.
    pub text: String,
}

/// Collects notes, each text once and with the first place it holds for.
#[derive(Debug, Default)]
pub struct Notes {
    notes: Vec<Note>,
    said: BTreeSet<String>,
}

impl Notes {
    pub(super) fn say(&mut self, at: &Place, text: impl AsRef<str>) {
        let text = printable(text.as_ref());
        if self.said.insert(text.clone()) {
            self.notes.push(Note { at: at.clone(), text });
        }
    }

    /// All of them, in the order of the files' lines.
    #[must_use]
    pub fn into_inner(mut self) -> Vec<Note> {
        self.notes.sort_by(|a, b| a.at.cmp(&b.at));
        self.notes
    }
}
