use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use super::claims::is_printable;
use super::inventory::workstation;
use crate::facts::{ClusterFacts, Facts, FactsError};
use crate::inventory::Inventory;
use crate::plan::{self, Fleet, Plan, Recipe, Reset, Up};
use crate::steps::Change;

const NONCE: &str = "nnnn0000";

/// What a host answers to the probe, and all that is planned of it: every word fit for a terminal, one plan for the same facts.
pub fn probe(data: &[u8]) {
    let end = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    match Facts::parse(data, NONCE, end, end + Duration::from_secs(1)) {
        Ok(facts) => plans(&facts),
        Err(error) => complains_well(&error),
    }
    if let Err(error) = ClusterFacts::parse(data, NONCE) {
        complains_well(&error);
    }
}

fn complains_well(error: &FactsError) {
    is_printable(&error.to_string());
}

static INVENTORY: LazyLock<Inventory> = LazyLock::new(|| {
    let text = "[cluster]\nname = \"lab\"\n[[hosts]]\nname = \"h1\"\naddress = \"10.88.0.11\"\nrole = \"control-plane\"\n\
                [[hosts]]\nname = \"h2\"\naddress = \"10.88.0.12\"\n";
    let inventory = Inventory::parse(text, std::path::Path::new("inventory.toml"), &workstation());
    inventory.unwrap_or_else(|error| panic!("{error}"))
});

fn plans(facts: &Facts) {
    let network = plan::pod_network(&INVENTORY, None).unwrap_or_else(|error| panic!("{error}"));
    let up = Up::new(INVENTORY.clone(), plan::Workstation::default(), network);
    let fleet: Fleet = ["h1", "h2"].map(|name| (name.to_owned(), facts.clone())).into();
    reads_well(&up, &fleet);
    reads_well(&Reset::new(INVENTORY.clone(), plan::Workstation::default()), &fleet);
}

fn reads_well(recipe: &impl Recipe, fleet: &Fleet) {
    for finding in recipe.preflight(fleet) {
        is_printable(&finding.reason);
        finding.hint.iter().for_each(|hint| is_printable(hint));
    }
    recipe.silent(fleet);
    recipe.expectation(fleet);
    let plan = recipe.plan(fleet);
    plan.hosts().flat_map(|host| host.planned()).for_each(|planned| is_told_well(&planned.change));
    assert_eq!(told(&plan), told(&recipe.plan(fleet)), "the same facts, another plan");
}

fn is_told_well(change: &Change) {
    match change {
        Change::None { why } => is_printable(why),
        Change::Some { diff, .. } => diff.iter().for_each(|line| is_printable(line)),
        Change::Refused { reason, hint } => [reason, hint].into_iter().for_each(|text| is_printable(text)),
    }
}

fn told(plan: &Plan) -> Vec<String> {
    plan.hosts().flat_map(|host| host.planned()).map(|planned| format!("{:?}", planned.change)).collect()
}
