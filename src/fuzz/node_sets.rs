use std::collections::{BTreeMap, BTreeSet};

use super::claims::is_within;
use crate::nodes::{Expression, Known, Names, NodeSet};

/// More names take long and find nothing else.
const MOST: usize = 2_000;

/// Sets of names: what is folded and read again is the same set, and what is wrong lies in the text.
pub fn node_sets(data: &[u8]) {
    let text = &String::from_utf8_lossy(data);
    match NodeSet::parse(text) {
        Err(error) => is_within(text, &error.at),
        Ok(set) => {
            if let Some(names) = set.expand(MOST) {
                folds(&names);
            }
        }
    }
    match Expression::parse(text) {
        Err(error) => is_within(text, &error.at),
        // Each term may be as long as a set may be.
        Ok(_) if text.len() > 200 => {}
        Ok(expression) => match expression.evaluate(Some(&known())) {
            Err(error) => is_within(text, &error.at),
            Ok(names) if names.len() <= MOST => lists(&names),
            Ok(_) => {}
        },
    }
}

fn known() -> Known {
    let names: Vec<String> = ["web1", "web2", "db1", "dc1-web10", "x"].map(str::to_owned).into();
    let groups = BTreeMap::from([("web".to_owned(), names[..2].to_vec()), ("g1".to_owned(), names[2..].to_vec())]);
    Known { names, groups }
}

fn folds(names: &[String]) {
    if !names.iter().all(|name| is_plain(name)) {
        return;
    }
    let folded = NodeSet::fold(names.iter().map(String::as_str));
    let Ok(set) = NodeSet::parse(&folded) else { panic!("{folded} is no set") };
    let again = set.expand(names.len());
    let Some(again) = again else { panic!("{folded} is more than {} names", names.len()) };
    let names: BTreeSet<&String> = names.iter().collect();
    assert_eq!(names, again.iter().collect(), "{folded}");
    assert_eq!(names.len(), again.len(), "{folded} has a name twice");
    assert!(folded.len() <= names.iter().map(|name| name.len() + 3).sum(), "{folded} is longer than its names");
}

fn lists(names: &Names) {
    let list = names.list();
    assert_eq!(list.len(), names.len());
    assert!(list.iter().all(|name| names.contains(name)));
    if list.iter().all(|name| is_plain(name)) && !list.is_empty() {
        let folded = names.fold();
        let again = Expression::parse(&folded).and_then(|again| again.evaluate(None));
        assert_eq!(again.as_ref(), Ok(names), "{folded}");
    }
}

/// Whether a name has nothing in it that the notation has a meaning for.
fn is_plain(name: &str) -> bool {
    !name.contains(|c: char| c.is_whitespace() || "[],!&^@*?".contains(c))
}
