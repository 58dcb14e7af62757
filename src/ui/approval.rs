use std::collections::BTreeMap;

use crate::base::printable;
use crate::events::ToChange;
use crate::nodes::NodeSet;

use super::line::{Line, Tone};
use super::table::{count, table_lines};

/// What somebody is asked about: a line for each list of steps, with all hosts that it is the same for.
pub(super) fn to_change(changes: &[ToChange], columns: Option<usize>) -> Vec<Line> {
    let mut alike: Vec<(&[String], Vec<&str>)> = Vec::new();
    let mut places = BTreeMap::new();
    for ToChange { host, steps } in changes {
        let place = *places.entry(steps).or_insert_with(|| {
            alike.push((steps, Vec::new()));
            alike.len() - 1
        });
        alike[place].1.push(host);
    }
    let rows = alike.into_iter().map(|(steps, hosts)| [NodeSet::fold(hosts), steps.join(", ")]);
    let rows = rows.map(|row| row.map(|cell| printable(&cell)));
    let head = Line::new(Tone::Even, &format!("to be changed on {}:", count(changes.len(), "host")));
    let table = table_lines(["HOSTS", "STEPS"].map(str::to_owned), rows, columns);
    [head].into_iter().chain(table.iter().map(|line| Line::new(Tone::Even, line))).collect()
}

/// What is asked, the answer to be typed behind it.
pub(super) fn question(confirm: Option<&str>) -> String {
    match confirm {
        None => "Apply? [y/N] ".to_owned(),
        Some(name) => format!("Type the cluster's name, {}, to go on: ", printable(name)),
    }
}
