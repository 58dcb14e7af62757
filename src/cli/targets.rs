use std::sync::Arc;

use secrecy::SecretString;

use crate::host::Connect;

use super::inventory_arg::InventoryArg;
use super::{Exit, connections};

/// Which hosts a command goes to, for every command that is not about a whole cluster.
#[derive(Debug, clap::Args)]
pub(super) struct TargetArgs {
    #[command(flatten)]
    inventory: InventoryArg,
}

/// The hosts that were asked for, yet to be dialled.
pub(super) struct Targets {
    /// How each is called in what is shown, in order.
    pub(super) names: Vec<String>,
    /// The same hosts.
    pub(super) hosts: Vec<Arc<dyn Connect>>,
}

impl TargetArgs {
    /// The hosts; or, everything that is wrong having been told on stderr, the exit.
    pub(super) fn resolve(&self, sudo_password: Option<&SecretString>) -> Result<Targets, Exit> {
        let inventory = self.inventory.load()?;
        let names = inventory.hosts.iter().map(|host| host.name.clone()).collect();
        Ok(Targets { names, hosts: connections::to(&inventory, sudo_password) })
    }
}
