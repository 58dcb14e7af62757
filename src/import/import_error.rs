use thiserror::Error;

use super::found::Place;
use crate::base::printable;
use crate::inventory::InventoryError;

/// Why a file does not become an inventory.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It is not what it is said to be.
    #[error("{at}: {}", printable(.message))]
    Syntax {
        /// Where.
        at: Place,
        /// What is wrong.
        message: String,
    },
    /// There is nothing in it to make an inventory of.
    #[error("{file}: no host was found in it{}", hint(.left_out))]
    NoHost {
        /// The file, as it was named.
        file: String,
        /// Whether there were some that no inventory takes.
        left_out: bool,
    },
    /// The control plane that was asked for is not among the hosts.
    #[error("there is no host `{name}` to be the control plane{}", meant(.similar))]
    NoSuchHost {
        /// As it was asked for.
        name: String,
        /// A host that is called nearly so.
        similar: Option<String>,
    },
    /// What it became is not valid, by something that is no host's.
    #[error("{0}")]
    Invalid(InventoryError),
}

fn hint(left_out: &bool) -> &'static str {
    if *left_out { " that an inventory can take" } else { "" }
}

fn meant(similar: &Option<String>) -> String {
    similar.as_ref().map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
