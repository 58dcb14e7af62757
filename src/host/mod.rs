//! A connected host: the trait, what it is asked, how it can fail; and one in memory, for tests and faults.

mod connection;
mod error;
pub mod memory;

pub use connection::{Connect, Exit, Host, Input, Output, Program, Request, Stream, User};
pub use error::HostError;
