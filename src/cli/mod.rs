//! The command line: one file a command. The only room that knows clap and exit codes.

mod command_line;
mod completions;
mod exit;
mod hosts;
mod inventory_arg;
pub mod inventory_report;
mod look_args;
mod man;
mod panic_hook;
mod sudo_password;
mod up;

pub use command_line::main;
pub use exit::Exit;
