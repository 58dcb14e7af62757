use std::path::PathBuf;

/// Where the inventory is, for every command that reads one.
#[derive(Debug, clap::Args)]
pub(super) struct InventoryArg {
    /// The inventory: which hosts there are, and what cluster they are to become
    #[arg(short, long = "inventory", value_name = "FILE", env = "KFLEET_INVENTORY", default_value = "inventory.toml")]
    pub(super) inventory: PathBuf,
}
