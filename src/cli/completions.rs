use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::Exit;
use super::command_line::CommandLine;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

const AFTER: &str = "Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  kfleet completions bash > ~/.local/share/bash-completion/completions/kfleet
  kfleet completions zsh > \"${fpath[1]}/_kfleet\"
  kfleet completions fish > ~/.config/fish/completions/kfleet.fish";

pub(super) fn run(args: &CompletionsArgs) -> Exit {
    // clap_complete panics where it cannot write: into memory it always can.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), "kfleet", &mut script);
    Exit::written(&io::stdout().write_all(&script).and_then(|()| io::stdout().flush()))
}
