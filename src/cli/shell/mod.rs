//! `kfleet shell`: one command a line, over connections that stay open.

mod command;
mod entry;
mod prompt;
mod session;

pub(super) use command::{ShellArgs, run};
