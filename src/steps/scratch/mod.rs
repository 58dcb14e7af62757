//! A cluster that is made anew on its hosts: what is put aside, how far it has come, and what its nodes get back.

mod dns_ready;
mod no_stale_nodes;
mod node_marks;
mod nodes_as_before;
mod nodes_ready;
mod progress;
mod put_aside;
mod scratch_mark;

pub use dns_ready::DnsReady;
pub use no_stale_nodes::NoStaleNodes;
pub use node_marks::NodeMarks;
pub use nodes_as_before::NodesAsBefore;
pub use nodes_ready::NodesReady;
pub use progress::{Begun, Phase};
pub use put_aside::PutAside;
pub use scratch_mark::ScratchMark;
