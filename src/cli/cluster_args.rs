use std::fs;
use std::path::Path;

use crate::engine::{Goal, Report, StateDir};
use crate::inventory::{Inventory, Pki};
use crate::plan::{Recipe, Workstation, pod_network};
use crate::steps::PodNetwork;

use super::approval::Consent;
use super::drive::{Run, state_dir};
use super::exit::complain;
use super::inventory_arg::InventoryArg;
use super::look_args::LookArgs;
use super::sudo_password::SudoPasswordArg;
use super::{Exit, authority, connections};

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
        self.drive_revised(goal, consent, |_| {}, recipe).await
    }

    /// As [`drive`](Self::drive), with an inventory in which the command line has had a word.
    pub(super) async fn drive_revised<R: Recipe>(
        self,
        goal: Goal,
        consent: &Consent,
        revise: impl FnOnce(&mut Inventory),
        recipe: impl FnOnce(Inventory, Workstation, PodNetwork) -> R,
    ) -> Result<Report, Exit> {
        let mut inventory = self.inventory.load()?;
        revise(&mut inventory);
        let look = self.look.look();
        let approval = consent.approval(&inventory.cluster.name, look)?;
        let sudo_password = self
            .sudo_password
            .get()
            .map_err(|error| complain(Exit::Local, &format!("cannot ask for the password of sudo: {error}")))?;
        let usage = |reason: String| complain(Exit::Usage, &reason);
        let manifest = manifest(&inventory).map_err(usage)?;
        let pod_network = pod_network(&inventory, manifest.as_deref()).map_err(usage)?;
        let local = |reason: String| complain(Exit::Local, &reason);
        let state = state_dir(&inventory.cluster.name).map_err(local)?;
        let workstation = workstation(&inventory, &state).map_err(local)?;
        let run = Run {
            hosts: connections::to(&inventory, sudo_password.as_ref()),
            parallel: self.parallel.into(),
            cluster: inventory.cluster.name.clone(),
            goal,
            approval,
            state,
        };
        run.drive(&recipe(inventory, workstation, pod_network), look).await
    }
}

/// The manifest that the inventory names, where it names one.
fn manifest(inventory: &Inventory) -> Result<Option<String>, String> {
    let path = inventory.cluster.cni.manifest.as_deref();
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    path.map(read).transpose()
}

/// What `up` takes from this machine.
fn workstation(inventory: &Inventory, state: &StateDir) -> Result<Workstation, String> {
    let hosts_file = inventory.hosts_file.from_workstation.then(|| fs::read("/etc/hosts")).transpose();
    let hosts_file = hosts_file.map_err(|error| format!("cannot read /etc/hosts: {error}"))?;
    Ok(Workstation {
        hosts_file: hosts_file.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        hostname: fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
        kubeconfig: state.read(StateDir::KUBECONFIG).map_err(|error| format!("cannot read {error}"))?,
        authority: match inventory.cluster.pki {
            Pki::Kubeadm => None,
            Pki::Workstation => Some(authority::of(state)?),
        },
    })
}
