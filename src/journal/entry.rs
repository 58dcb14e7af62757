use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::events::Event;

/// A line of a run's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened, by this machine's clock.
    pub time: Timestamp,
    /// What happened; already printable and free of secrets, as every event is.
    #[serde(flatten)]
    pub event: Event,
}
