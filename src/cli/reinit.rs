use std::net::IpAddr;

use jiff::Timestamp;

use crate::engine::Goal;
use crate::inventory::{Inventory, Role};
use crate::plan::{FromScratch, FromScratchOptions, Reinit, ReinitOptions, Restore};

use super::Exit;
use super::approval::{ConfirmArg, Consent, YesArg};
use super::cluster_args::ClusterArgs;
use super::exit::{complain, statuses};

/// Move the cluster to another address of its control plane
///
/// The inventory, or --address, has the new address; the old one is found in what the hosts say, and may be gone already, as that of a
/// VPN that was switched off. CA, etcd's data, pod network, names and every flag in the static pods' manifests stay as they are; pods go
/// on and are not restarted.
///
/// First /etc/kubernetes and a snapshot of etcd are put aside on the control plane. Then its certificates are signed anew, its files
/// rewritten and its parts restarted, by a job that goes on without a connection; then one worker follows and is proven; then the
/// others. It ends when the old address is nowhere any more. Interrupted anywhere, the same command goes on.
///
/// --from-scratch is the hard way, for when etcd's data or the CA is lost. /etc/kubernetes and what there is of etcd's data are put
/// aside; the control plane is reset and initialised with the same networks and, where its certificate and key are there and sound,
/// under the same CA; then the workers are reset and joined again, --max-unavailable at a time, each Ready before the next. Labels and
/// taints of the nodes are put back where the API server could still tell them. Everything else that was in the cluster is lost:
/// workloads, Secrets, claims of volumes. So the cluster's name has to be typed, or given with --confirm. Cut short, the same command
/// goes on; after it has come to its end, it begins once more.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct ReinitArgs {
    /// The new address, where the inventory does not have it yet
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,

    /// An old address; needed only where several may be meant, and may be given again
    #[arg(long, value_name = "IP")]
    from: Vec<IpAddr>,

    /// How many workers of a wave may fail before the rest is left as it is
    #[arg(long, value_name = "N", default_value_t = 1)]
    max_failures: usize,

    /// Take the last change of address back, by what was put aside before it; what was changed since stays, and the old
    /// address must be on the host again
    #[arg(long, conflicts_with_all = ["address", "from"])]
    rollback: bool,

    /// Put etcd back to a snapshot that was put aside below /var/lib/kfleet/reinit, the last one or BACKUP: every write to the
    /// cluster since then is lost, so the cluster's name has to be typed, or given with --confirm. Files and address stay
    #[arg(long, value_name = "BACKUP", num_args = 0..=1, require_equals = true, default_missing_value = "",
        conflicts_with_all = ["address", "from", "max_failures", "rollback", "yes"])]
    restore_etcd: Option<String>,

    /// Make the cluster anew on its hosts, for when etcd or the CA is lost: every object in etcd is lost with it
    #[arg(long, conflicts_with_all = ["address", "from", "rollback", "restore_etcd", "yes"])]
    from_scratch: bool,

    /// With --from-scratch: how many workers may be away at once
    #[arg(long, value_name = "N", requires = "from_scratch", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    max_unavailable: u16,

    /// Show what would be done, and do nothing
    #[arg(long)]
    plan: bool,

    #[command(flatten)]
    yes: YesArg,

    #[command(flatten)]
    confirm: ConfirmArg,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const AFTER: &str = concat!(
    "Examples:
  kfleet reinit --plan                      for the hosts of ./inventory.toml, which has the new address: what would be done
  kfleet reinit                             do it
  kfleet reinit --address 192.168.122.11    the same, where the inventory still has the old address
  kfleet reinit --rollback                  take it back
  kfleet reinit --restore-etcd --plan       what would be lost if etcd went back to a snapshot
  kfleet reinit --from-scratch --plan       etcd is lost: what would be done, host by host
  kfleet reinit --from-scratch              do it, having asked for the cluster's name

Environment:
  KFLEET_INVENTORY      the inventory, where -i is not given
  KFLEET_SUDO_PASSWORD  the password of sudo on the hosts, where -K is not given
  XDG_STATE_HOME        where the kubeconfig is kept; ~/.local/state where it is not set
  NO_COLOR              if not empty: no colours, and no lines that move

",
    statuses!()
);

pub(super) async fn run(args: ReinitArgs) -> Exit {
    if let Some(backup) = &args.restore_etcd {
        let backup = backup.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
        return restore(args, backup).await;
    }
    if args.from_scratch {
        return from_scratch(args).await;
    }
    if args.confirm.is_given() {
        return complain(
            Exit::Usage,
            "--confirm is for --restore-etcd and --from-scratch; without them nothing is lost, and -y will do",
        );
    }
    let (goal, consent) = aim(args.plan, Consent::Yes(args.yes));
    let options = ReinitOptions {
        from: args.from.into_iter().collect(),
        rollback: args.rollback,
        max_failures: args.max_failures,
        now: Timestamp::now(),
    };
    let mut inventory = match args.cluster.inventory() {
        Ok(inventory) => inventory,
        Err(exit) => return exit,
    };
    if let Some(address) = args.address {
        move_to(&mut inventory, address);
    }
    let recipe = |inventory, workstation, pod_network| Reinit::new(inventory, workstation, pod_network, options);
    Exit::of_run(args.cluster.drive_by(inventory, goal, &consent, recipe).await)
}

fn aim(plan: bool, consent: Consent) -> (Goal, Consent) {
    if plan { (Goal::Plan, Consent::Needless) } else { (Goal::Apply, consent) }
}

/// etcd back to a snapshot: of the backup with this name, else of the last one.
async fn restore(args: ReinitArgs, backup: Option<String>) -> Exit {
    let (goal, consent) = aim(args.plan, Consent::Confirm(args.confirm));
    let recipe = |inventory, _, pod_network| Restore::new(inventory, pod_network, backup, Timestamp::now());
    Exit::of_run(args.cluster.drive(goal, &consent, recipe).await)
}

/// The cluster made anew on its hosts.
async fn from_scratch(args: ReinitArgs) -> Exit {
    let (goal, consent) = aim(args.plan, Consent::Confirm(args.confirm));
    let options = FromScratchOptions { max_unavailable: args.max_unavailable.into(), now: Timestamp::now() };
    let recipe = |inventory, workstation, pod_network| FromScratch::new(inventory, workstation, pod_network, options);
    Exit::of_run(args.cluster.drive(goal, &consent, recipe).await)
}

/// As if the inventory had the address: wherever it has the old one, and where it is announced. Another network than the
/// cluster's, by which the host is dialled, stays.
fn move_to(inventory: &mut Inventory, address: IpAddr) {
    let announced = &mut inventory.cluster.advertise_address;
    let Some(host) = inventory.hosts.iter_mut().find(|host| host.role == Role::ControlPlane) else { return };
    let dialled = host.ip().filter(|dialled| !dialled.is_loopback());
    let given = [*announced, host.node_ip];
    let follows = given == [None; 2] || given.contains(&dialled);
    if dialled.is_some() && follows {
        host.address = address.to_string();
    }
    if host.node_ip.is_some() {
        host.node_ip = Some(address);
    }
    if dialled.is_none() || !follows || announced.is_some() {
        *announced = Some(address);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::move_to;
    use crate::inventory::{Inventory, Workstation};

    #[test]
    fn what_ssh_dials_moves_only_with_the_address_itself() {
        for (address, advertise, node_ip, expected) in [
            ("10.0.0.1", None, None, ("10.0.0.9", None, None)),
            ("10.0.0.1", Some("10.0.0.1"), None, ("10.0.0.9", Some("10.0.0.9"), None)),
            ("10.0.0.1", None, Some("10.0.0.1"), ("10.0.0.9", None, Some("10.0.0.9"))),
            ("192.0.2.1", Some("10.0.0.1"), None, ("192.0.2.1", Some("10.0.0.9"), None)),
            ("192.0.2.1", None, Some("10.0.0.1"), ("192.0.2.1", Some("10.0.0.9"), Some("10.0.0.9"))),
            ("192.0.2.1", Some("10.0.0.1"), Some("10.0.0.1"), ("192.0.2.1", Some("10.0.0.9"), Some("10.0.0.9"))),
            ("h1.example.com", None, None, ("h1.example.com", Some("10.0.0.9"), None)),
            ("127.0.0.1", None, None, ("127.0.0.1", Some("10.0.0.9"), None)),
        ] {
            let key = |name: &str, value: Option<&str>| {
                value.map(|value| format!("{name} = \"{value}\"\n")).unwrap_or_default()
            };
            let text = format!(
                "[cluster]\nname = \"lab\"\n{}[[hosts]]\nname = \"h1\"\nrole = \"control-plane\"\naddress = \"{address}\"\n{}",
                key("advertise_address", advertise),
                key("node_ip", node_ip),
            );
            let workstation = Workstation { user: Some("ops".to_owned()), home: None };
            let mut inventory = Inventory::parse(&text, Path::new("i.toml"), &workstation).unwrap();
            move_to(&mut inventory, "10.0.0.9".parse().unwrap());
            let host = &inventory.hosts[0];
            let ip = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            assert_eq!(
                (host.address.as_str(), inventory.cluster.advertise_address, host.node_ip),
                (expected.0, ip(expected.1), ip(expected.2)),
                "{address} {advertise:?} {node_ip:?}"
            );
        }
    }
}
