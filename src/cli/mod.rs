//! The command line: one file a command. The only room that knows clap and exit codes.

mod authority;
mod cluster_args;
mod command_line;
mod completions;
mod connections;
mod copy;
mod destination;
mod drive;
mod exit;
mod fanout_args;
mod fetch;
mod history;
mod hosts;
mod import;
mod inventory_arg;
pub mod inventory_report;
mod last_failed;
mod look_args;
mod man;
mod panic_hook;
mod password;
mod plan;
mod pssh;
mod selection;
mod set_report;
mod signals;
mod ssh_args;
mod ssh_password;
mod sudo_password;
mod targets;
mod transfer_run;
mod up;

pub use command_line::main;
pub use exit::Exit;
