use crate::engine::Goal;
use crate::events::Outcome;
use crate::plan::Up;

use super::Exit;
use super::approval::Consent;
use super::cluster_args::ClusterArgs;
use super::exit::statuses;

/// Show what `kfleet up` would do, and do nothing
///
/// Reads the hosts as `up` does and plans as `up` does, then stops before the first write: for every host and step the
/// lines that would change, the files with their diffs, and the commands. What is known only after something else was
/// done, such as the join grant, is said to be.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct PlanArgs {
    /// Exit with 6 where something would change
    #[arg(long)]
    detailed_exitcode: bool,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const AFTER: &str = concat!(
    "Examples:
  kfleet plan                                    for the hosts of ./inventory.toml
  kfleet plan -i lab.toml --detailed-exitcode || kfleet up -i lab.toml
  kfleet plan --json | jq -r 'select(.event == \"step-planned\") | .host + \" \" + .step'

",
    statuses!(),
    "
  6  something would change (with --detailed-exitcode)"
);

pub(super) async fn run(args: PlanArgs) -> Exit {
    let report = match args.cluster.drive(Goal::Plan, &Consent::Needless, Up::new).await {
        Ok(report) => report,
        Err(exit) => return exit,
    };
    let changes = report.tallies.iter().any(|(_, tally)| !tally.changed.is_empty());
    match report.outcome {
        Outcome::Succeeded if changes && args.detailed_exitcode => Exit::WouldChange,
        outcome => Exit::Run(outcome),
    }
}
