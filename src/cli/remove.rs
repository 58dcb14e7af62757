use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

use crate::engine::{Goal, Report};
use crate::events::Tally;
use crate::inventory::{Inventory, Role};
use crate::nodes::Known;
use crate::plan::Remove;
use crate::steps::{Drain, Leave};

use super::Exit;
use super::approval::{Consent, YesArg};
use super::cluster_args::ClusterArgs;
use super::exit::{complain, statuses};
use super::inventory_edit;
use super::selection::evaluate;
use super::targets::groups;

/// Take workers out of the cluster, and back to what they were before `kfleet up`
///
/// Each is cordoned and drained, as disruption budgets let it, and its node is deleted; then the host is reset as by `kfleet
/// reset`, the others forget its name, and it goes from the inventory file, whose comments stay; where a range made it, the
/// line to change is printed.
///
/// Of several, all are cordoned before the first is drained, so that none takes what another gives away. A drain that fails or
/// does not end in time stops all of it: the nodes that are left stay in the cluster, cordoned, and no host is reset.
/// Run it again to go on, or let pods run there again with `kubectl uncordon`.
///
/// A host that is gone for good is removed with --dead: its node and its pods are deleted without a word from it. Where no
/// node is known to be its own, and one that is not Ready belongs to no host of the inventory, nothing is done.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct RemoveArgs {
    /// Hosts, by their names in the inventory; node sets as `node[3-5]` and `@group` too
    #[arg(value_name = "HOST", required = true)]
    hosts: Vec<String>,

    /// The hosts cannot be reached and never will be: nothing is drained, and nothing on them is touched
    #[arg(long, conflicts_with_all = ["drain_timeout", "delete_emptydir_data", "force"])]
    dead: bool,

    /// The longest that draining one host may take
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = timeout)]
    drain_timeout: Duration,

    /// Drain pods with emptyDir volumes, too: what is in them is lost
    #[arg(long)]
    delete_emptydir_data: bool,

    /// Drain pods of no controller, too: nothing makes them anew elsewhere
    #[arg(long)]
    force: bool,

    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    yes: YesArg,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const AFTER: &str = concat!(
    "Examples:
  kfleet remove node4                         drain it, delete it, reset it
  kfleet remove 'node[4-6]' --drain-timeout 10m
  kfleet remove @old --delete-emptydir-data
  kfleet remove --dead node5                  a machine that burnt

",
    statuses!()
);

pub(super) async fn run(args: RemoveArgs) -> Exit {
    let inventory = match args.cluster.inventory() {
        Ok(inventory) => inventory,
        Err(exit) => return exit,
    };
    let leaving = match leaving(&args.hosts.join(","), &inventory) {
        Ok(leaving) => leaving,
        Err(reason) => return complain(Exit::Usage, &reason),
    };
    let leave = if args.dead {
        Leave::Forgotten
    } else {
        Leave::Drained(Drain {
            timeout: args.drain_timeout,
            delete_emptydir_data: args.delete_emptydir_data,
            force: args.force,
        })
    };
    let undialled = if args.dead { leaving.clone() } else { BTreeSet::new() };
    let (goal, consent) =
        if args.dry_run { (Goal::Plan, Consent::Needless) } else { (Goal::Apply, Consent::Yes(args.yes)) };
    let file = args.cluster.inventory_file().to_owned();
    let control_plane = inventory.control_plane().name.clone();
    let recipe = |inventory, workstation| Remove::new(inventory, workstation, &leaving, leave);
    match args.cluster.take_down(inventory, goal, &consent, &undialled, recipe).await {
        Ok(report) if goal == Goal::Apply => finish(&report, &file, &control_plane, &leaving),
        Ok(report) => Exit::Run(report.outcome),
        Err(exit) => exit,
    }
}

/// Takes hosts that are out of the cluster out of the inventory. Another host's failure does not keep them in it.
fn finish(report: &Report, file: &Path, control_plane: &str, leaving: &BTreeSet<String>) -> Exit {
    let exit = Exit::Run(report.outcome);
    // A run that was stopped before it began has done nothing on any host.
    let done = |tally: &Tally| tally.failure.is_none() && (tally.unchanged > 0 || !tally.changed.is_empty());
    let is_done = |name: &str| report.tallies.iter().find(|(host, _)| host == name).map(|(_, tally)| done(tally));
    if is_done(control_plane) != Some(true) {
        return exit;
    }
    // A dead one has no tally.
    let gone: BTreeSet<String> = leaving.iter().filter(|host| is_done(host) != Some(false)).cloned().collect();
    match inventory_edit::without(file, &gone) {
        Ok(()) => exit,
        Err(reason) => complain(if exit == Exit::SUCCESS { Exit::Local } else { exit }, &reason),
    }
}

/// The hosts that are meant, which must be workers.
fn leaving(set: &str, inventory: &Inventory) -> Result<BTreeSet<String>, String> {
    let names = inventory.hosts.iter().map(|host| host.name.clone()).collect();
    let names = evaluate("HOST", set, &Known { names, groups: groups(inventory) })?;
    let control_plane =
        inventory.hosts.iter().find(|host| host.role == Role::ControlPlane && names.contains(&host.name));
    if let Some(host) = control_plane {
        return Err(format!(
            "{} is the control plane: without it there is no cluster. `kfleet reset` takes all of it down",
            host.name
        ));
    }
    if names.is_empty() {
        Err(format!("HOST {set}: no host is selected"))
    } else {
        Ok(names.list().into_iter().collect())
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let read: SignedDuration = text.parse().map_err(|_| "a time is written as 90s or 5m".to_owned())?;
    if read < SignedDuration::from_secs(1) || read > SignedDuration::from_hours(24) {
        return Err("from 1s to 24h".to_owned());
    }
    Ok(read.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{leaving, timeout};
    use crate::inventory::{Inventory, Workstation};

    const HOSTS: &str = "[cluster]\nname = \"lab\"\n[ssh]\nuser = \"ops\"\n[[hosts]]\nname = \"h1\"\nrole = \
                         \"control-plane\"\n[[hosts]]\nname = \"h[2-4]\"\ngroups = [\"old\"]\n";

    #[test]
    fn only_workers_that_there_are_can_leave() {
        let inventory = Inventory::parse(HOSTS, Path::new("i.toml"), &Workstation { user: None, home: None }).unwrap();
        for (set, expected) in [
            ("h3", Ok("h3")),
            ("h[2-3],h2", Ok("h2 h3")),
            ("@old!h2", Ok("h3 h4")),
            ("h1", Err("h1 is the control plane")),
            ("@*", Err("h1 is the control plane")),
            ("h9,h2", Err("HOST: there is no host h9")),
            ("x*", Err("HOST x*: no host is selected")),
            ("h[", Err("HOST: a `[` without its `]`")),
        ] {
            let said = leaving(set, &inventory).map(|names| names.into_iter().collect::<Vec<_>>().join(" "));
            match (said, expected) {
                (Ok(said), Ok(expected)) => assert_eq!(said, expected, "{set}"),
                (Err(said), Err(expected)) => assert!(said.starts_with(expected), "{set}: {said}"),
                (said, _) => panic!("{set}: {said:?}"),
            }
        }
    }

    #[test]
    fn a_time_is_written_as_people_do() {
        assert_eq!(timeout("90s").map(|time| time.as_secs()), Ok(90));
        assert_eq!(timeout("1h30m").map(|time| time.as_secs()), Ok(5400));
        for wrong in ["", "0s", "-5m", "5", "25h", "soon"] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }
}
