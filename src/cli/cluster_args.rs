use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::engine::{Goal, Report, StateDir};
use crate::inventory::{Inventory, Pki};
use crate::plan::{Recipe, Workstation, pod_network};
use crate::ssh::Wanted;
use crate::steps::PodNetwork;
use crate::ui::Look;

use super::approval::Consent;
use super::drive::{Run, state_dir};
use super::exit::complain;
use super::inventory_arg::InventoryArg;
use super::look_args::LookArgs;
use super::ssh_args::SshArgs;
use super::sudo_password::SudoPasswordArg;
use super::{Exit, authority, connections, drive};

/// What every command takes that looks at a whole cluster.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArgs {
    #[command(flatten)]
    inventory: InventoryArg,

    /// How many hosts are worked on at once
    #[arg(short = 'j', long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    parallel: u16,

    #[command(flatten)]
    sudo_password: SudoPasswordArg,

    #[command(flatten)]
    ssh: SshArgs,

    #[command(flatten)]
    look: LookArgs,
}

impl ClusterArgs {
    /// Drives the fleet by a recipe made for the inventory, as far as the goal goes; or, the reason having been told, the exit.
    pub(super) async fn drive<R: Recipe>(
        self,
        goal: Goal,
        consent: &Consent,
        recipe: impl FnOnce(Inventory, Workstation, PodNetwork) -> R,
    ) -> Result<Report, Exit> {
        let inventory = self.inventory()?;
        self.drive_by(inventory, goal, consent, recipe).await
    }

    /// As [`drive`](Self::drive), by an inventory in which the command line has had a word.
    pub(super) async fn drive_by<R: Recipe>(
        self,
        inventory: Inventory,
        goal: Goal,
        consent: &Consent,
        recipe: impl FnOnce(Inventory, Workstation, PodNetwork) -> R,
    ) -> Result<Report, Exit> {
        let look = self.look.look();
        let run = self.prepare(&inventory, goal, consent, look, &BTreeSet::new())?;
        let usage = |reason: String| complain(Exit::Usage, &reason);
        let manifest = manifest(&inventory).map_err(usage)?;
        let pod_network = pod_network(&inventory, manifest.as_deref()).map_err(usage)?;
        let local = |reason: String| complain(Exit::Local, &reason);
        let mut workstation = workstation(&inventory, &run.state).map_err(local)?;
        workstation.authority = match inventory.cluster.pki {
            Pki::Kubeadm => None,
            Pki::Workstation => Some(authority::of(&run.state).map_err(local)?),
        };
        run.drive(&recipe(inventory, workstation, pod_network), look).await
    }

    /// As [`drive`](Self::drive), for what makes nothing: it needs no CA and no manifest of a pod network. These hosts are
    /// not dialled.
    pub(super) async fn take_down<R: Recipe>(
        self,
        inventory: Inventory,
        goal: Goal,
        consent: &Consent,
        undialled: &BTreeSet<String>,
        recipe: impl FnOnce(Inventory, Workstation) -> R,
    ) -> Result<Report, Exit> {
        let look = self.look.look();
        let run = self.prepare(&inventory, goal, consent, look, undialled)?;
        let workstation = workstation(&inventory, &run.state).map_err(|reason| complain(Exit::Local, &reason))?;
        run.drive(&recipe(inventory, workstation), look).await
    }

    /// The inventory; or, the reason having been told, the exit.
    pub(super) fn inventory(&self) -> Result<Inventory, Exit> {
        self.inventory.load()
    }

    /// The inventory's file.
    pub(super) fn inventory_file(&self) -> &Path {
        self.inventory.path()
    }

    /// A run over the inventory's hosts but these.
    fn prepare(
        &self,
        inventory: &Inventory,
        goal: Goal,
        consent: &Consent,
        look: Look,
        undialled: &BTreeSet<String>,
    ) -> Result<Run, Exit> {
        let approval = consent.approval(&inventory.cluster.name, look)?;
        let sudo_password = self.sudo_password.get()?;
        let state = state_dir(&inventory.cluster.name).map_err(|reason| complain(Exit::Local, &reason))?;
        let dialled = inventory.hosts.iter().filter(|host| !undialled.contains(&host.name));
        let dialled: Vec<_> = dialled.map(Wanted::from).collect();
        Ok(Run {
            hosts: connections::to(&dialled, &self.ssh, true, sudo_password.as_ref())?,
            parallel: self.parallel.into(),
            cluster: inventory.cluster.name.clone(),
            control_plane: inventory.control_plane().name.clone(),
            goal,
            approval,
            state,
        })
    }
}

/// The manifest that the inventory names, where it names one.
fn manifest(inventory: &Inventory) -> Result<Option<String>, String> {
    let path = inventory.cluster.cni.manifest.as_deref();
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| {
            format!("cannot read {}, which is `manifest` under [cluster.cni]: {error}", path.display())
        })
    };
    path.map(read).transpose()
}

/// What a run takes from this machine, but for the CA.
fn workstation(inventory: &Inventory, state: &StateDir) -> Result<Workstation, String> {
    let hosts_file = inventory.hosts_file.from_workstation.then(|| fs::read("/etc/hosts")).transpose();
    let hosts_file = hosts_file.map_err(|error| format!("cannot read /etc/hosts: {error}"))?;
    Ok(Workstation {
        hosts_file: hosts_file.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        hostname: drive::workstation(),
        kubeconfig: state.read(StateDir::KUBECONFIG).map_err(|error| format!("cannot read {error}"))?,
        authority: None,
    })
}
