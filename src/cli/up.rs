use std::fs;
use std::path::Path;

use crate::engine::{Goal, StateDir};
use crate::inventory::{Inventory, Pki};
use crate::plan::{Up, Workstation, pod_network};

use super::exit::complain;
use super::exit::statuses;
use super::inventory_arg::InventoryArg;
use super::look_args::LookArgs;
use super::run::{Run, state_dir};
use super::sudo_password::SudoPasswordArg;
use super::{Exit, authority, connections};

/// Make a Kubernetes cluster of the hosts, or complete the one they are
///
/// Connects to all hosts at once and reads what they are; says everything that is in the way before anything is
/// written; brings kernel, firewall and kubelet to where Kubernetes needs them; initialises the control plane, installs
/// the pod network and joins the workers; then checks that every node is Ready.
///
/// Run again it does only what is missing: a host that was down, a worker that is new. A host that fails costs only
/// itself. Ctrl-C starts nothing new and finishes what must not be cut; a second one leaves at once.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct UpArgs {
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

const AFTER: &str = concat!(
    "Examples:
  kfleet up                       the hosts of ./inventory.toml
  kfleet up -i lab.toml -K        ask for sudo's password first
  kfleet up -v 2>&1 | tee up.log  with everything that the hosts write
  kfleet up --json | jq -c 'select(.event == \"host-failed\")'

Environment:
  KFLEET_INVENTORY      the inventory, where -i is not given
  KFLEET_SUDO_PASSWORD  the password of sudo on the hosts, where -K is not given
  KFLEET_CA_PASSPHRASE  what the CA's key is encrypted with, where the inventory says pki = \"workstation\"
  XDG_STATE_HOME        where the kubeconfig is kept; ~/.local/state where it is not set
  NO_COLOR              if not empty: no colours, and no lines that move

",
    statuses!()
);

pub(super) async fn run(args: UpArgs) -> Exit {
    let inventory = match args.inventory.load() {
        Ok(inventory) => inventory,
        Err(exit) => return exit,
    };
    let sudo_password = match args.sudo_password.get() {
        Ok(password) => password,
        Err(error) => return complain(Exit::Local, &format!("cannot ask for the password of sudo: {error}")),
    };
    let pod_network = match manifest(&inventory).and_then(|upstream| pod_network(&inventory, upstream.as_deref())) {
        Ok(pod_network) => pod_network,
        Err(reason) => return complain(Exit::Usage, &reason),
    };
    let prepared = state_dir(&inventory.cluster.name).and_then(|state| Ok((workstation(&inventory, &state)?, state)));
    let (workstation, state) = match prepared {
        Ok(prepared) => prepared,
        Err(reason) => return complain(Exit::Local, &reason),
    };
    let run = Run {
        hosts: connections::to(&inventory, sudo_password.as_ref()),
        parallel: args.parallel.into(),
        cluster: inventory.cluster.name.clone(),
        goal: Goal::Apply,
        state,
    };
    run.drive(&Up::new(inventory, workstation, pod_network), args.look.look()).await
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
