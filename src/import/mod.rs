//! Inventories made of what other tools have: a pssh hosts file, an Ansible inventory, an ssh_config.
//!
//! Each reader gives hosts as the file has them; [`import`] writes them as an inventory and lets [`crate::inventory`] alone
//! judge what is legal there.

mod ansible;
mod draft;
mod found;
mod host_patterns;
#[expect(clippy::module_inception, reason = "a file is named after what is in it")]
mod import;
mod import_error;
mod kind;
mod page;
mod pssh;
mod source;
mod ssh_config;

pub use found::{Note, Notes, Place};
pub use import::{Imported, import};
pub use import_error::ImportError;
pub use kind::Kind;
pub use source::Source;
