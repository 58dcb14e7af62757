use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::inventory::Inventory;

use super::look_args::paints;
use super::{Exit, inventory_report};

const VARIABLE: &str = "KFLEET_INVENTORY";
const DEFAULT: &str = "inventory.toml";

/// Where the inventory is, for every command that reads one.
#[derive(Debug, clap::Args)]
pub(super) struct InventoryArg {
    /// The inventory: which hosts there are, and what cluster they are to become
    #[arg(short, long = "inventory", value_name = "FILE", env = VARIABLE, default_value = DEFAULT)]
    inventory: PathBuf,
}

impl InventoryArg {
    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.inventory
    }

    /// Whether the command line itself names it, as far as that differs from what would be read without.
    pub(super) fn is_named(&self) -> bool {
        self.is_asked_for() && env::var_os(VARIABLE).is_none_or(|variable| variable != self.inventory)
    }

    /// As [`InventoryArg::load`]; `None` where none was asked for and none is here.
    pub(super) fn load_where_there(&self) -> Result<Option<Inventory>, Exit> {
        if self.is_asked_for() || self.inventory.exists() { self.load().map(Some) } else { Ok(None) }
    }

    fn is_asked_for(&self) -> bool {
        self.inventory != Path::new(DEFAULT)
    }

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
