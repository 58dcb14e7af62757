//! Sets of host names as clush and nodeset of ClusterShell write them: `node[01-20]`, their algebra, and back.

mod expression;
mod fold;
mod node_set;
mod pattern;
mod vectors;
mod wildcard;

pub use expression::{Expression, Known};
pub use fold::Names;
pub use node_set::NodeSet;
pub use pattern::NodeSetError;
