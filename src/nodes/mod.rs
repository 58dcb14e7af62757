//! Lists of host names written short: `node[01-20]`, and back.

mod node_set;

pub use node_set::{NodeSet, NodeSetError};
