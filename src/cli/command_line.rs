use std::env;
use std::future::Future;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::ssh::unwritten_host_keys;

use super::Exit;
use super::exit::{complain, note, statuses};
use super::{
    completions, copy, fetch, history, hosts, import, man, panic_hook, plan, pssh, reinit, remove, reset, run, shell,
    up,
};

/// From a list of hosts to a working Kubernetes cluster, over SSH
///
/// kfleet reads an inventory, asks every host over SSH what it is, works out the difference and applies just that. What
/// is already as it should be is left alone, so every command may be run again.
#[derive(Debug, Parser)]
#[command(name = "kfleet", version, propagate_version = false, max_term_width = 100, after_long_help = AFTER)]
#[command(arg_required_else_help = true)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::UpArgs),
    Plan(plan::PlanArgs),
    Reinit(reinit::ReinitArgs),
    Remove(remove::RemoveArgs),
    Reset(reset::ResetArgs),
    Run(run::RunArgs),
    Shell(shell::ShellArgs),
    Copy(copy::CopyArgs),
    Fetch(fetch::FetchArgs),
    History(history::HistoryArgs),
    Hosts(hosts::HostsArgs),
    Import(import::ImportArgs),
    #[command(flatten)]
    Pssh(Box<pssh::Face>),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

const AFTER: &str = concat!(
    "Examples:
  kfleet up                      make of the hosts in ./inventory.toml a cluster, or complete it
  kfleet up -i lab.toml --json   the same for lab.toml, told to a program
  kfleet plan                    what that would do
  kfleet run -b uname -r         ask every host, and show equal answers once
  kfleet hosts -i lab.toml       the hosts that lab.toml expands to

",
    statuses!()
);

/// Parses the command line, runs the command and gives its exit code. Usage errors exit with 2 from within.
#[must_use]
pub fn main() -> ExitCode {
    panic_hook::install();
    if let Some(answered) = pssh::answer() {
        return answered;
    }
    let exit = match CommandLine::parse_from(pssh::called(env::args_os().collect())).command {
        Command::Up(args) => asynchronously(up::run(args)),
        Command::Plan(args) => asynchronously(plan::run(args)),
        Command::Reinit(args) => asynchronously(reinit::run(args)),
        Command::Remove(args) => asynchronously(remove::run(args)),
        Command::Reset(args) => asynchronously(reset::run(args)),
        Command::Run(args) => asynchronously(run::run(args)),
        Command::Shell(args) => asynchronously(shell::run(args)),
        Command::Copy(args) => asynchronously(copy::run(args)),
        Command::Fetch(args) => asynchronously(fetch::run(args)),
        Command::History(args) => asynchronously(history::run(args)),
        Command::Hosts(args) => hosts::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Pssh(face) => asynchronously(face.run()),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    exit.into()
}

fn asynchronously(command: impl Future<Output = Exit>) -> Exit {
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let exit = runtime.block_on(command);
            // A name lookup that hangs must not keep a finished command from its end.
            runtime.shutdown_background();
            unwritten_host_keys().iter().for_each(|remark| note(remark));
            exit
        }
        Err(error) => complain(Exit::Local, &format!("cannot start: {error}")),
    }
}
