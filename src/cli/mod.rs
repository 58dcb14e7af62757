//! The command line: one file a command. The only room that knows clap and exit codes.

mod approval;
mod authority;
mod cluster_args;
mod command_line;
mod completions;
mod connections;
mod destination;
mod drive;
mod exit;
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
mod reinit;

mod selection;
mod set_report;
mod sudo_password;
#[expect(dead_code, reason = "the commands that use it are being built")]
mod targets;
mod up;

pub use command_line::main;
pub use exit::Exit;
