use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::facts::{Facts, File, Wanted};

use super::firewall_rule::FirewallRule;
use super::refusal::{Refusal, read};
use super::{Action, Contents, Recorded, WriteFile};

/// What was on a host before kfleet ever came, so that a reset takes back only what is kfleet's own. Kept on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// What was there before, by kind and item.
    before: BTreeMap<(String, String), Option<String>>,
}

/// The file's shape.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    entries: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: String,
    item: String,
    before: Option<String>,
}

impl Record {
    /// Where a host has it: 0600, in a directory 0700.
    pub const PATH: &str = "/var/lib/kfleet/record.json";

    const VERSION: u32 = 1;
    const MODE: u32 = 0o600;

    /// What must be read of a host for [`of`](Self::of) and [`record_action`].
    #[must_use]
    pub fn wanted() -> Wanted {
        Wanted { files: [Self::PATH.to_owned()].into(), ..Wanted::default() }
    }

    /// Writes an empty one where there is none, so that the host is known to be kfleet's until all is taken back.
    #[must_use]
    pub fn begun() -> Action {
        Action::Write(WriteFile {
            path: Self::PATH.to_owned(),
            contents: Contents::Text(Self::default().to_json()),
            mode: Some(Self::MODE),
            replaces: None,
        })
    }

    /// Whether it says nothing: what was there before kfleet is not known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// The record of a host; an empty one where there is none yet.
    ///
    /// # Errors
    /// When it is there and cannot be read or understood. What was before kfleet is known nowhere else, so it must not
    /// be overwritten.
    pub fn of(facts: &Facts) -> Result<Self, Refusal> {
        let Some(text) = read(facts, Self::PATH)? else { return Ok(Self::default()) };
        Self::parse(text).map_err(|reason| Refusal {
            reason: format!("{} cannot be understood: {reason}", Self::PATH),
            hint: "it says what was on the host before kfleet: mend it, or move it away and kfleet begins another, \
                   which takes today's state for the one before"
                .to_owned(),
        })
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// The reason why the text is not a record of this version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if stored.version != Self::VERSION {
            return Err(format!("it has version {}, and this kfleet knows version {}", stored.version, Self::VERSION));
        }
        let entries = stored.entries.into_iter();
        Ok(Self { before: entries.map(|entry| ((entry.kind, entry.item), entry.before)).collect() })
    }

    /// Adds entries. One that is there already stays: it is older, and knows what was before kfleet.
    #[must_use]
    pub fn merge(mut self, entries: &[Recorded]) -> Self {
        for Recorded { kind, item, before } in entries {
            self.before.entry((kind.clone(), item.clone())).or_insert_with(|| before.clone());
        }
        self
    }

    /// Its entries, ordered by kind and item.
    pub fn entries(&self) -> impl Iterator<Item = Recorded> {
        self.before.iter().map(|((kind, item), before)| Recorded {
            kind: kind.clone(),
            item: item.clone(),
            before: before.clone(),
        })
    }

    /// The file: JSON for people too, entries in order, so that an equal record is an equal file.
    ///
    /// # Panics
    /// Never: strings and a number always become JSON.
    #[must_use]
    #[expect(clippy::expect_used, reason = "strings and a number always become JSON")]
    pub fn to_json(&self) -> String {
        let entries = self.entries().map(|Recorded { kind, item, before }| Entry { kind, item, before }).collect();
        let stored = Stored { version: Self::VERSION, entries };
        serde_json::to_string_pretty(&stored).expect("always becomes JSON") + "\n"
    }

    /// The record without what is no longer so: a port that kfleet opened and that is closed by now is nobody's. Were it
    /// kept, kfleet would later take an admin's own rule for its own.
    fn forget_closed(mut self, facts: &Facts) -> Self {
        let ours: Vec<_> = self.entries().filter_map(|entry| FirewallRule::of_record(&entry)).collect();
        self.before.retain(|(kind, item), _| {
            let rule = FirewallRule::parse(kind, item);
            rule.and_then(|rule| rule.is_there_among(&ours, &facts.firewall)) != Some(false)
        });
        self
    }
}

/// What brings the host's record up to date, `None` where it is.
///
/// With the entries of all changes that are about to be made, to be run before them: an interrupt then cannot lose what
/// was there. And with none, on the facts after them: what was taken back is forgotten.
///
/// # Errors
/// When the record is there and cannot be read or understood.
pub fn record_action(facts: &Facts, entries: &[Recorded]) -> Result<Option<Action>, Refusal> {
    let record = Record::of(facts)?.forget_closed(facts).merge(entries);
    let text = record.to_json();
    let replaces = match facts.files.get(Record::PATH) {
        Some(File::Present { contents, mode, .. }) => {
            if *contents == text && *mode == Record::MODE {
                return Ok(None);
            }
            Some(contents.clone())
        }
        _ if record.before.is_empty() => return Ok(None),
        _ => None,
    };
    Ok(Some(Action::Write(WriteFile {
        path: Record::PATH.to_owned(),
        contents: Contents::Text(text),
        mode: Some(Record::MODE),
        replaces,
    })))
}
