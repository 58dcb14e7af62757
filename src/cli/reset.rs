use std::collections::BTreeSet;

use crate::engine::{Goal, StateDir};
use crate::events::Outcome;
use crate::plan::Reset;

use super::Exit;
use super::approval::{ConfirmArg, Consent};
use super::cluster_args::ClusterArgs;
use super::drive::state_dir;
use super::exit::{complain, note, statuses};

/// Take the cluster down: every host back to what it was before `kfleet up`
///
/// Runs `kubeadm reset` on every host, the workers first; takes away what that leaves behind (links, routes and packet rules
/// of the pod network and of kube-proxy, their files, logs of pods) and what kfleet brought: its block in /etc/hosts, its
/// files, ports in firewalld. Sysctls, the kubelet's start at boot and directories are what each host's own record says that
/// they were. Everything else stays as it is. Modules stay loaded until the next boot, and images stay in the runtime.
///
/// All that is in the cluster is lost. So the cluster's name has to be typed, or given with --confirm.
///
/// A host that is down is told and costs nobody else; run it again when it is up, and it is reset alone. Cut short, it is gone
/// on with by running it again.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct ResetArgs {
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    confirm: ConfirmArg,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const AFTER: &str = concat!(
    "Examples:
  kfleet reset --dry-run          what would be taken away, host by host
  kfleet reset                    show a summary, ask for the cluster's name, then do it
  kfleet reset --confirm lab      the same without asking, for scripts

",
    statuses!()
);

pub(super) async fn run(args: ResetArgs) -> Exit {
    let inventory = match args.cluster.inventory() {
        Ok(inventory) => inventory,
        Err(exit) => return exit,
    };
    let (goal, consent) =
        if args.dry_run { (Goal::Plan, Consent::Needless) } else { (Goal::Apply, Consent::Confirm(args.confirm)) };
    let cluster = inventory.cluster.name.clone();
    let report = match args.cluster.take_down(inventory, goal, &consent, &BTreeSet::new(), Reset::new).await {
        Ok(report) => report,
        Err(exit) => return exit,
    };
    match (goal, report.outcome) {
        (Goal::Apply, Outcome::Succeeded) => forget(&cluster),
        (_, outcome) => Exit::Run(outcome),
    }
}

/// Removes the kubeconfig of a cluster that is no more. While a host is still to be reset it tells which cluster is meant.
fn forget(cluster: &str) -> Exit {
    let removed = state_dir(cluster).and_then(|state| {
        state.remove(StateDir::KUBECONFIG).map_err(|error| format!("cannot remove {error}"))?;
        Ok(state)
    });
    match removed {
        Ok(state) => {
            if state.path(super::authority::KEY).exists() {
                let directory = state.path("");
                note(&format!("the cluster's CA stays in {}, for the next `kfleet up`", directory.display()));
            }
            Exit::SUCCESS
        }
        Err(reason) => complain(Exit::Local, &reason),
    }
}
