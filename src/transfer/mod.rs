//! Files and trees, to a host and from it, over any [`Host`](crate::host::Host).

pub mod scp;
