use std::io::{self, Write};
use std::path::PathBuf;

use crate::inventory::Inventory;

use super::look_args::paints;
use super::{Exit, inventory_report};

/// Where the inventory is, for every command that reads one.
#[derive(Debug, clap::Args)]
pub(super) struct InventoryArg {
    /// The inventory: which hosts there are, and what cluster they are to become
    #[arg(short, long = "inventory", value_name = "FILE", env = "KFLEET_INVENTORY", default_value = "inventory.toml")]
    inventory: PathBuf,
}

impl InventoryArg {
    /// The inventory; or, everything that is wrong with it having been told on stderr, the exit.
    pub(super) fn load(&self) -> Result<Inventory, Exit> {
        Inventory::load(&self.inventory).map_err(|error| {
            let report = if paints() { inventory_report::coloured(&error) } else { inventory_report::plain(&error) };
            // Where stderr is gone too there is nobody to tell; the exit code still says it.
            let _ = io::stderr().write_all(report.as_bytes());
            Exit::Usage
        })
    }
}
