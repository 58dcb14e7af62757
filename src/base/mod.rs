//! Small tools with no domain: any room may use them, they use none.

mod interrupt;
mod last_lines;
mod local_command;
mod managed_block;
mod nonce;
mod printable;
mod redact;
mod shell;
mod spool_dir;
mod sysctl_key;
mod tail;
mod told;
mod wildcard;

pub use interrupt::Interrupt;
pub use last_lines::LastLines;
pub use local_command::{CA_PASSPHRASE, ProcessGroup, SSH_PASSWORD, SUDO_PASSWORD, local_command};
pub use managed_block::{ManagedBlock, ManagedBlockError};
pub use nonce::nonce;
pub use printable::printable;
pub use redact::redact;
pub use shell::quote;
pub use spool_dir::spool_dir;
pub use sysctl_key::dotted_sysctl;
pub use tail::Tail;
pub use told::told;
pub use wildcard::wildcard;
