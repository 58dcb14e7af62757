//! The ssh room against a real sshd, which each test starts for itself on 127.0.0.1 with keys and files of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so and stops"
)]

mod agent;
mod certificates;
mod exec;
mod flood;
mod host_certificates;
mod host_keys;
mod jump;
mod lab;
mod login;
mod methods;
mod patience;
mod proxy_command;
mod reach;
mod ssh_config;
mod sshd;
