//! The real binary against real hosts: `scripts/lab`. Each test needs root on Linux and the lab built, so all are ignored
//! unless asked for:
//!
//! ```sh
//! scripts/lab/build && cargo test --test lab -- --ignored --test-threads=1 --nocapture
//! ```
//!
//! KFLEET_TEST_FULL=1 runs whole matrices; KFLEET_TEST_KEEP=1 leaves the lab up, to look at what a test left.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on says so and stops; one that took long says how long"
)]

mod approval;
mod bare;
mod faults;
mod firewall;
mod from_scratch;
mod interrupted;
mod kubelet;
mod lab;
mod living;
mod lock;
mod moved;
mod network;
mod poison;
mod power;
mod preflight;
mod ran;
mod reinit;
mod sudo;
mod terminal;
mod undo;
mod watch;
mod workers;
