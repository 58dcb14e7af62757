use std::collections::BTreeSet;
use std::path::Path;

use super::claims::{has_printable_lines, is_within};
use crate::cli::inventory_report;
use crate::inventory::{Inventory, InventoryError, Removal, Workstation};

/// Inventories: one that is refused says where, in words for a terminal; of one that is good every other host stays as it was
/// when one leaves.
pub fn inventory(data: &[u8]) {
    let text = &String::from_utf8_lossy(data);
    match parse(text) {
        Err(error) => complains_well(&error),
        Ok(inventory) => {
            assert!(!inventory.hosts.is_empty());
            if let Some(worker) = inventory.workers().next() {
                leaves_the_rest(text, &inventory, &worker.name);
            }
        }
    }
}

pub(super) fn workstation() -> Workstation {
    Workstation { user: Some("ops".to_owned()), home: Some("/home/ops".into()) }
}

fn parse(text: &str) -> Result<Inventory, InventoryError> {
    Inventory::parse(text, Path::new("inventory.toml"), &workstation())
}

pub(super) fn complains_well(error: &InventoryError) {
    assert!(!error.problems().is_empty());
    for label in error.problems().iter().flat_map(|problem| &problem.labels) {
        is_within(error.text(), &label.span);
        let (line, column) = error.position(label.span.start);
        assert!(line >= 1 && column >= 1 && line <= error.text().matches('\n').count() + 1);
    }
    has_printable_lines(&error.to_string());
    has_printable_lines(&inventory_report::plain(error));
}

fn leaves_the_rest(text: &str, inventory: &Inventory, worker: &str) {
    let removal = Removal::of(text, &BTreeSet::from([worker.to_owned()]));
    if removal.removed.is_empty() {
        assert_eq!(removal.text, text, "nobody leaves");
    }
    // What is left may lack something that only the host that left had said.
    if let Ok(left) = parse(&removal.text) {
        let stay = inventory.hosts.iter().filter(|host| !removal.removed.contains(&host.name));
        assert_eq!(left.hosts.iter().collect::<Vec<_>>(), stay.collect::<Vec<_>>());
    }
}
