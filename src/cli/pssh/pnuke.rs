use super::common_args::{CommonArgs, Show};
use super::drive::{Status, drive};
use super::pssh::SECONDS;
use super::reach;
use super::ssh_words::Of;
use crate::cli::Exit;
use crate::cli::exit::complain;
use crate::host::Request;

/// Kill processes on many hosts, as pnuke does
///
/// Runs `pkill -9 PATTERN` on each host. A host where nothing matches counts as failed.
#[derive(Debug, clap::Args)]
#[command(override_usage = "kfleet pnuke [OPTIONS] PATTERN", after_long_help = super::help::PNUKE)]
#[command(version = super::help::VERSION)]
pub(in crate::cli) struct PnukeArgs {
    #[command(flatten)]
    common: CommonArgs,

    /// What the processes are called
    #[arg(trailing_var_arg = true, value_name = "PATTERN")]
    pattern: Vec<String>,
}

pub(in crate::cli) async fn run(args: PnukeArgs) -> Exit {
    let pattern = match args.pattern.as_slice() {
        [pattern] => pattern.clone(),
        [] => return complain(Exit::Usage, "no pattern was given"),
        [..] => return complain(Exit::Usage, "there is more than one pattern"),
    };
    let mut common = match args.common.resolve(Show::default(), SECONDS) {
        Ok(common) => common,
        Err(exit) => return exit,
    };
    let hosts = match reach::hosts(&mut common, Of::Ssh) {
        Ok(hosts) => hosts,
        Err(exit) => return exit,
    };
    drive(&common, hosts, Status::Command, move |_| Request::line(&format!("pkill -9 {pattern}"))).await
}
