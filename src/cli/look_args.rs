use std::env;
use std::ffi::OsStr;

use console::Term;

use crate::ui::Look;

/// How a run looks, for every command that shows one.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct LookArgs {
    /// Tell programs: one JSON object a line on stdout, nothing else
    #[arg(long, conflicts_with = "plain")]
    json: bool,

    /// One plain line an event, as without a terminal or with NO_COLOR
    #[arg(long)]
    plain: bool,

    /// Show what the hosts write, too
    #[arg(short, long)]
    verbose: bool,
}

impl LookArgs {
    /// What was asked for, on the terminal that there is.
    pub(super) fn look(&self) -> Look {
        let stderr = Term::stderr();
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == OsStr::new("dumb"));
        Look {
            json: self.json,
            verbose: self.verbose,
            terminal: stderr.is_term() && !dumb,
            colour: !self.plain && set("NO_COLOR").is_none(),
            width: stderr.size_checked().map(|(_, columns)| columns),
        }
    }
}
