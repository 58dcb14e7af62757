//! pssh's programs, held against the real ones: both are run with the same arguments against the same sshd, and what they say,
//! exit with and leave behind is compared.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so and stops"
)]

mod askpass;
mod children;
mod copies;
mod differences;
mod hosts;
mod lines;
mod options;
mod ran;
#[path = "../ssh/sshd.rs"]
#[expect(dead_code, reason = "what the tests of the ssh room use of it")]
mod sshd;
mod stage;
