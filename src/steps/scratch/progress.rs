use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::{Facts, File, Wanted};

use super::NodeMarks;

/// A beginning anew, as the control plane keeps it from before anything was stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// Tells it from every other: letters and digits.
    pub id: String,
    /// Whether the CA goes on.
    pub keeps_ca: bool,
    /// The old cluster's CA certificate (PEM), where it was known.
    pub ca: Option<String>,
    /// Where pods had their addresses, where a host said so.
    pub pods: Option<String>,
    /// Where Services had theirs.
    pub services: Option<String>,
    /// The DNS domain.
    pub dns_domain: Option<String>,
    /// The API server's port.
    pub port: Option<u16>,
    /// What was on the Nodes, by name; `None` where no API server could say.
    pub nodes: Option<BTreeMap<String, NodeMarks>>,
}

/// How far a host has come in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It was not touched.
    Before,
    /// The control plane is stopped, and what it has is being put aside.
    Aside,
    /// What it was is taken away; what is there now is the new cluster's.
    Reset,
    /// All came to its end, in the run of this id or in another.
    Done {
        /// Whether in this very run.
        here: bool,
    },
}

const PHASE: &str = "/var/lib/kfleet/scratch/phase";

impl Begun {
    /// Where a control plane has it: 0600.
    pub const PATH: &str = "/var/lib/kfleet/scratch/begun.json";

    /// What must be read of a host for [`of`](Self::of) and [`Phase::of`].
    #[must_use]
    pub fn wanted() -> Wanted {
        Wanted { files: [Self::PATH.to_owned(), PHASE.to_owned()].into(), ..Wanted::default() }
    }

    /// That of a control plane; `None` where there never was one, or it cannot be understood.
    #[must_use]
    pub fn of(facts: &Facts) -> Option<Self> {
        let Some(File::Present { contents, .. }) = facts.files.get(Self::PATH) else { return None };
        let begun: Self = serde_json::from_str(contents).ok()?;
        begun.id.chars().all(|letter| letter.is_ascii_alphanumeric()).then_some(begun)
    }

    /// The file: JSON for people too.
    ///
    /// # Errors
    /// Never: strings always become JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Where what was before is put.
    #[must_use]
    pub fn backup(&self) -> String {
        format!("/var/lib/kfleet/scratch/{}", self.id)
    }

    /// Where the PKI lies that the new cluster takes over, if it does.
    #[must_use]
    pub fn kept_pki(&self) -> Option<String> {
        self.keeps_ca.then(|| format!("{}/etc-kubernetes/pki", self.backup()))
    }
}

impl Phase {
    /// That of a host in the beginning anew of this id, as seen from this run.
    #[must_use]
    pub fn of(facts: &Facts, id: &str, run: &str) -> Self {
        let Some(File::Present { contents, .. }) = facts.files.get(PHASE) else { return Self::Before };
        let words: Vec<&str> = contents.split_whitespace().collect();
        match words[..] {
            [of, "aside"] if of == id => Self::Aside,
            [of, "reset"] if of == id => Self::Reset,
            [of, "done", by] if of == id => Self::Done { here: by == run },
            _ => Self::Before,
        }
    }

    /// The script that says so on a host.
    pub(super) fn script(words: &str) -> String {
        format!(
            "umask 077\nmkdir -p {directory}\nprintf '%s\\n' {words} >{PHASE}.new\nsync {PHASE}.new\nmv -f {PHASE}.new {PHASE}\n",
            directory = PHASE.trim_end_matches("/phase"),
            words = crate::base::quote(words)
        )
    }
}
