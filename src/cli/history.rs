use std::io::{self, Write};

use comfy_table::{Table, presets};

use crate::engine::StateDir;
use crate::events::{FailureKind, Outcome, channel};
use crate::journal::{Journal, Listed};
use crate::ui::{Look, show};

use super::Exit;
use super::drive::state_dir;
use super::exit::complain;
use super::inventory_arg::InventoryArg;

/// List the runs on a cluster, or show one again
///
/// Every run of `up`, `plan`, `reinit`, `remove` and `reset` is recorded on this machine as it happens, without secrets, and readable by
/// you alone. The last hundred of a cluster are kept. A run that was cut off is recorded as far as it went; a power cut here may cost its last second.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,

    #[command(flatten)]
    inventory: InventoryArg,
}

#[derive(Debug, clap::Subcommand)]
enum HistoryCommand {
    Show(ShowArgs),
}

/// Show a run as it was shown when it happened
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
struct ShowArgs {
    /// Its number in the list
    number: u32,

    #[command(flatten)]
    inventory: InventoryArg,

    /// Show what the hosts wrote, too
    #[arg(short, long)]
    verbose: bool,
}

const AFTER: &str = "Examples:
  kfleet history                the runs on the cluster of ./inventory.toml
  kfleet history show 12        the twelfth once more
  kfleet history show 12 -v     with everything that the hosts wrote

Files:
  $XDG_STATE_HOME/kfleet/CLUSTER/runs/N.jsonl   a JSON object a line, as with --json
                                                (~/.local/state where XDG_STATE_HOME is not set)";

pub(super) async fn run(args: HistoryArgs) -> Exit {
    let inventory = match &args.command {
        Some(HistoryCommand::Show(show)) => show.inventory.load(),
        None => args.inventory.load(),
    };
    let cluster = match inventory {
        Ok(inventory) => inventory.cluster.name,
        Err(exit) => return exit,
    };
    let journal = match state_dir(&cluster) {
        Ok(state) => Journal::at(state.path(StateDir::RUNS)),
        Err(reason) => return complain(Exit::Local, &reason),
    };
    match args.command {
        Some(HistoryCommand::Show(args)) => again(&journal, &args).await,
        None => list(&journal, &cluster),
    }
}

fn list(journal: &Journal, cluster: &str) -> Exit {
    match journal.list() {
        Err(error) => complain(Exit::Local, &format!("cannot read the runs of {cluster}: {error}")),
        Ok(runs) if runs.is_empty() => complain(Exit::SUCCESS, &format!("there are no runs on {cluster} yet")),
        Ok(runs) => Exit::written(&io::stdout().write_all(table(&runs).as_bytes())),
    }
}

fn table(runs: &[Listed]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["RUN", "BEGAN (UTC)", "COMMAND", "HOSTS", "CHANGED", "RESULT"]);
    for run in runs {
        table.add_row([
            run.number.to_string(),
            run.began.map(|began| began.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default(),
            run.command.clone(),
            run.hosts.to_string(),
            run.changed.to_string(),
            result(run.outcome).to_owned(),
        ]);
    }
    format!("{}\n", table.trim_fmt())
}

fn result(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "cut off, or under way",
        Some(Outcome::Succeeded) => "ok",
        Some(Outcome::Failed(FailureKind::Deadline)) => "interrupted, or out of time",
        Some(Outcome::Failed(FailureKind::Unreachable)) => "failed: a host was not reached",
        Some(Outcome::Failed(FailureKind::Step)) => "failed: a step, or preflight",
        Some(Outcome::Failed(FailureKind::Local)) => "failed on this machine",
    }
}

async fn again(journal: &Journal, args: &ShowArgs) -> Exit {
    let entries = match journal.read(args.number) {
        Ok(Some(entries)) => entries,
        Ok(None) => {
            let what = format!("there is no run {}: `kfleet history` lists those that there are", args.number);
            return complain(Exit::Usage, &what);
        }
        Err(error) => return complain(Exit::Local, &format!("cannot read run {}: {error}", args.number)),
    };
    let (events, told) = channel();
    entries.into_iter().for_each(|entry| events.tell(entry.event));
    drop(events);
    Exit::written(&show(told, past(args.verbose), io::stdout(), io::stdout()).await)
}

/// Nothing moves in what is past, and all of it is what was asked for: it goes to stdout.
fn past(verbose: bool) -> Look {
    Look { json: false, verbose, terminal: false, colour: false, width: None }
}
