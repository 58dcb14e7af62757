use serde::{Deserialize, Serialize};

/// The steps that would change something on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToChange {
    /// Its name in the inventory.
    pub host: String,
    /// In order.
    pub steps: Vec<String>,
}

/// What somebody said who was asked whether a plan is to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To go on.
    Yes,
    /// Anything else.
    No,
    /// Nothing: the input ended, or the run was interrupted.
    None,
}
