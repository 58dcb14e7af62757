use crate::engine::Goal;
use crate::plan::Up;

use super::Exit;
use super::approval::{Consent, YesArg};
use super::cluster_args::ClusterArgs;
use super::exit::statuses;

/// Make a Kubernetes cluster of the hosts, or complete the one they are
///
/// Connects to all hosts at once and reads what they are; says everything that is in the way before anything is
/// written; brings kernel, firewall and kubelet to where Kubernetes needs them; initialises the control plane, installs
/// the pod network and joins the workers; then checks that every node is Ready.
///
/// At a terminal it shows what it is about to change and asks; `kfleet plan` shows more of it. While it changes anything
/// the control plane keeps everybody else's kfleet from doing so.
///
/// Run again it does only what is missing: a host that was down, a worker that is new. A host that fails costs only
/// itself. Ctrl-C starts nothing new and finishes what must not be cut; a second one leaves at once.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct UpArgs {
    #[command(flatten)]
    yes: YesArg,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const AFTER: &str = concat!(
    "Examples:
  kfleet up                       the hosts of ./inventory.toml
  kfleet up --yes                 without asking before anything is changed
  kfleet up -i lab.toml -K        ask for sudo's password first
  kfleet up -v 2>&1 | tee up.log  with everything that the hosts write
  kfleet up --json | jq -c 'select(.event == \"host-failed\")'

Environment:
  KFLEET_INVENTORY      the inventory, where -i is not given
  KFLEET_SSH_PASSWORD   the password to log in with, where -k is not given
  KFLEET_SUDO_PASSWORD  the password of sudo on the hosts, where -K is not given
  KFLEET_CA_PASSPHRASE  what the CA's key is encrypted with, where the inventory says pki = \"workstation\"
  XDG_STATE_HOME        where the kubeconfig is kept; ~/.local/state where it is not set
  NO_COLOR              if not empty: no colours, and no lines that move

",
    statuses!()
);

pub(super) async fn run(args: UpArgs) -> Exit {
    Exit::of_run(args.cluster.drive(Goal::Apply, &Consent::Yes(args.yes), Up::new).await)
}
