//! `kfleet`, the program.

use std::process::ExitCode;

fn main() -> ExitCode {
    kfleet::cli::main()
}
