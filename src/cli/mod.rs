//! The command line: one file a command. The only room that knows clap and exit codes.

mod authority;
mod cluster_args;
mod command_line;
mod completions;
mod connections;
mod destination;
mod drive;
mod errand;
mod exit;
mod fanout_args;
mod fanout_run;
mod history;
mod hosts;
mod import;
mod inventory_arg;
pub mod inventory_report;
mod last_failed;
mod look_args;
mod man;
mod panic_hook;
mod plan;
mod reader;
mod remote_script;
mod run;
mod selection;
mod set_report;
mod shell;
mod signals;
mod stdin;
mod sudo_password;
mod surfaces;
mod targets;
mod up;

pub use command_line::main;
pub use exit::Exit;
