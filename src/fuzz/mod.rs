//! What is fuzzed: a function a parser, which takes any bytes and panics where more than "no crash" should hold and does not.
//!
//! Not a part of the program. libFuzzer drives them from fuzz/, and every run of the tests drives them over fuzz/corpus, see
//! `bounded.rs`.

#![expect(clippy::panic, reason = "it is how a target says that something does not hold")]

#[cfg(test)]
mod bounded;
mod claims;
mod imports;
mod inventory;
mod journal;
mod kubeadm_output;
mod node_sets;
mod probe;
mod record;
mod ssh;
mod streams;

pub use self::imports::{ansible_ini, ansible_yaml, pssh_hosts, ssh_config_file};
pub use self::inventory::inventory;
pub use self::journal::journal;
pub use self::kubeadm_output::kubeadm_output;
pub use self::node_sets::node_sets;
pub use self::probe::probe;
pub use self::record::record;
pub use self::ssh::{known_hosts, ssh_g};
pub use self::streams::{action_frames, fetched, scp_stream};

/// What takes the bytes.
pub type Target = fn(&[u8]);

/// All of them, by the names of their directories in fuzz/corpus.
pub const TARGETS: [(&str, Target); 15] = [
    ("action_frames", action_frames),
    ("ansible_ini", ansible_ini),
    ("ansible_yaml", ansible_yaml),
    ("fetched", fetched),
    ("inventory", inventory),
    ("journal", journal),
    ("known_hosts", known_hosts),
    ("kubeadm_output", kubeadm_output),
    ("node_sets", node_sets),
    ("probe", probe),
    ("pssh_hosts", pssh_hosts),
    ("record", record),
    ("scp_stream", scp_stream),
    ("ssh_config_file", ssh_config_file),
    ("ssh_g", ssh_g),
];
