//! What kubeadm is told of a node, whichever role it has.

use crate::base::quote;
use crate::facts::Facts;
use crate::inventory::{Host, Inventory};

/// The runtime's socket: the inventory's, else that of the only runtime that can be used.
pub fn cri_socket(inventory: &Inventory, host: &Host, facts: &Facts) -> Option<String> {
    let said = host.cri_socket.as_ref().or(inventory.cluster.cri_socket.as_ref());
    let mut usable = facts.runtimes.iter().filter(|runtime| runtime.running && runtime.cri_enabled);
    match (said, usable.next(), usable.next()) {
        (Some(socket), ..) => Some(socket.clone()),
        (None, Some(only), None) => Some(only.socket.clone()),
        _ => None,
    }
}

/// kubeadm's flags beside `--config`, with a space before each.
pub fn flags(inventory: &Inventory) -> String {
    let ignored = &inventory.cluster.ignore_preflight_errors;
    if ignored.is_empty() { String::new() } else { format!(" --ignore-preflight-errors={}", quote(&ignored.join(","))) }
}

/// The command that takes back what kubeadm half made.
pub fn reset(inventory: &Inventory, host: &Host, facts: &Facts) -> String {
    let socket = cri_socket(inventory, host, facts).map(|socket| format!(" --cri-socket {}", quote(&socket)));
    format!("kubeadm reset --force{}", socket.unwrap_or_default())
}
