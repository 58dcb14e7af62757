//! kfleet: from a list of hosts to a working Kubernetes cluster, over SSH.
//!
//! # One way through
//!
//! ```text
//! inventory ──► facts ──► plan ──► apply ──► verify ──► report
//! ```
//!
//! Data goes one way. A room uses only rooms on lower floors, never its neighbours; a test holds the `use` lines against
//! this map.
//!
//! | floor | room | what it is |
//! |---|---|---|
//! | 7 | [`fuzz`] | not in the program: what is fuzzed |
//! | 6 | [`cli`] | clap types, one file a command; the only room that knows clap and exit codes |
//! | 5 | [`ui`] | how it looks; the only room that knows indicatif; reads events, and what is told of commands |
//! | 5 | [`journal`] | runs on disk: written as they happen, listed, read again; reads events only |
//! | 4 | [`engine`] | drives hosts; the only interpreter of actions; emits events |
//! | 3 | [`plan`] | recipes, and the pure planner |
//! | 3 | [`fanout`] | one thing done on many hosts at once |
//! | 2 | [`transfer`] | files and trees to a host and from it |
//! | 2 | [`steps`] | pure; one file a desired state |
//! | 2 | [`doctor`] | pure; facts to findings |
//! | 2 | [`import`] | inventories made of what other tools have |
//! | 2 | [`ssh`] | `host` over russh, which it alone knows |
//! | 1 | [`inventory`] | what should be |
//! | 1 | [`facts`] | what a host says of itself |
//! | 1 | [`cluster`] | the kubeadm domain |
//! | 1 | [`host`] | the trait a connected host has |
//! | 1 | [`events`] | what can happen, and the sink |
//! | 0 | [`nodes`] | sets of host names: `node[01-20]`, and back |
//! | 0 | [`base`] | small tools with no domain |
//!
//! [`fuzz`]: crate

pub mod base;
pub mod cli;
pub mod cluster;
pub mod doctor;
pub mod engine;
pub mod events;
pub mod facts;
pub mod fanout;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod host;
pub mod import;
pub mod inventory;
pub mod journal;
pub mod nodes;
pub mod plan;
pub mod ssh;
pub mod steps;
pub mod transfer;
pub mod ui;
