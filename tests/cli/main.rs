//! The real binary: what it says, and what it exits with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod help;
mod import;
mod pages;
mod passwords;
mod ssh;
mod usage;

use assert_cmd::Command;

/// kfleet, as somebody without any settings calls it, in a directory with nothing in it.
fn kfleet() -> Command {
    let mut command = Command::cargo_bin("kfleet").unwrap();
    command.env_clear().env("HOME", "/nonexistent").env("USER", "ops").current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

/// What it wrote to stdout, having exited with 0.
fn stdout(arguments: &[&str]) -> String {
    let output = kfleet().args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
