//! `kfleet`, the program: parse, run, exit code.

fn main() {}
