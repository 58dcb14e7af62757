use super::{Action, Change, Recorded};

/// A change while it is being found out.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// See [`Change::Some`].
    pub(super) diff: Vec<String>,
    /// In order.
    pub(super) actions: Vec<Action>,
    /// What was there before.
    pub(super) record: Vec<Recorded>,
    /// Worth knowing, whether or not there is anything to do.
    pub(super) notes: Vec<String>,
}

impl Difference {
    /// Nothing where no action is needed, because of `why`; the notes are told in both cases.
    pub(super) fn or_none(self, why: impl Into<String>) -> Change {
        let Self { mut diff, actions, record, mut notes } = self;
        if actions.is_empty() {
            notes.insert(0, why.into());
            Change::None { why: notes.join("; ") }
        } else {
            diff.append(&mut notes);
            Change::Some { diff, actions, record }
        }
    }
}
