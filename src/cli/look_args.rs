use std::env;
use std::ffi::{OsStr, OsString};

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
        Look {
            json: self.json,
            verbose: self.verbose,
            terminal: speaks_to_terminal(),
            colour: !self.plain && welcomes_colour(),
            width: Term::stderr().size_checked().map(|(_, columns)| columns),
        }
    }
}

/// Whether stderr takes colours, and whoever reads it wants them.
pub(super) fn paints() -> bool {
    speaks_to_terminal() && welcomes_colour()
}

/// The same of stdout, for what is told there.
pub(super) fn paints_stdout() -> bool {
    is_capable(&Term::stdout()) && welcomes_colour()
}

fn speaks_to_terminal() -> bool {
    is_capable(&Term::stderr())
}

fn is_capable(term: &Term) -> bool {
    term.is_term() && !is_dumb()
}

/// Whether the terminal is one that cannot be spoken to, as `TERM` has it.
pub(super) fn is_dumb() -> bool {
    variable("TERM").is_none_or(|term| term == OsStr::new("dumb"))
}

/// <https://no-color.org>: set and not empty.
pub(super) fn welcomes_colour() -> bool {
    variable("NO_COLOR").is_none()
}

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
