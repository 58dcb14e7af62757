//! Commands on many hosts, by the real binary against a real sshd that is eight hosts: one for each of its addresses.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so and stops"
)]

mod gathered;
mod hostile;
mod input;
mod lines;
mod objects;
mod script;
mod shell;
mod terminal;
mod troubles;

#[path = "../ssh/sshd.rs"]
#[expect(dead_code, reason = "the SSH room's own tests need all of it")]
mod sshd;

#[path = "../ssh/fleet.rs"]
#[expect(dead_code, reason = "each of its users needs a part")]
mod fleet;

#[path = "../ssh/memory.rs"]
mod memory;
