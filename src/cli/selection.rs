use std::collections::BTreeSet;

use crate::nodes::{Expression, Known, Names};

use super::set_report;

/// Which of the hosts that there are a command goes to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selection<'a> {
    /// `--hosts`
    pub(super) hosts: Option<&'a str>,
    /// `--exclude`
    pub(super) exclude: Option<&'a str>,
    /// `--failed`: the hosts that failed last time, which need not be there any more.
    pub(super) failed: Option<&'a [String]>,
}

impl Selection<'_> {
    /// The names that are selected.
    ///
    /// # Errors
    /// With what a person is told: a set that is none, a host that is not there, or that nothing is left.
    pub(super) fn of(&self, known: &Known) -> Result<BTreeSet<String>, String> {
        let mut selected: BTreeSet<String> = known.names.iter().cloned().collect();
        if let Some(text) = self.hosts {
            let wanted = evaluate("--hosts", text, known)?;
            selected.retain(|name| wanted.contains(name));
            if selected.is_empty() {
                return Err(format!("--hosts {text}: no host is selected"));
            }
        }
        if let Some(failed) = self.failed {
            selected.retain(|name| failed.contains(name));
            if selected.is_empty() {
                return Err("--failed: none of these hosts failed last time".to_owned());
            }
        }
        if let Some(text) = self.exclude {
            let spared = evaluate("--exclude", text, known)?;
            selected.retain(|name| !spared.contains(name));
            if selected.is_empty() {
                return Err(format!("--exclude {text}: no host is left"));
            }
        }
        Ok(selected)
    }
}

/// A host that is not there is an error in either set: mistyped in `--exclude` it would not be spared.
pub(super) fn evaluate(flag: &str, text: &str, known: &Known) -> Result<Names, String> {
    let set = Expression::parse(text).and_then(|set| set.evaluate(Some(known)));
    let names = set.map_err(|error| set_report::told(flag, text, &error))?;
    let there: BTreeSet<&str> = known.names.iter().map(String::as_str).collect();
    let unknown: Names = names.list().into_iter().filter(|name| !there.contains(name.as_str())).collect();
    if unknown.is_empty() { Ok(names) } else { Err(format!("{flag}: there is no host {}", unknown.fold())) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Known, Selection};

    fn select(selection: Selection<'_>) -> Result<String, String> {
        let names: Vec<String> = ["db1", "web1", "web2", "web3"].map(str::to_owned).into();
        let groups = BTreeMap::from([("web".to_owned(), names[1..].to_vec())]);
        selection.of(&Known { names, groups }).map(|names| names.into_iter().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn sets_narrow_what_there_is() {
        let failed = ["web2".to_owned(), "db1".to_owned(), "gone".to_owned()];
        let none = Selection::default();
        for (selection, expected) in [
            (none, Ok("db1 web1 web2 web3")),
            (Selection { hosts: Some("@web"), exclude: Some("web2"), ..none }, Ok("web1 web3")),
            (Selection { exclude: Some("web*"), ..none }, Ok("db1")),
            (Selection { failed: Some(&failed), ..none }, Ok("db1 web2")),
            (Selection { failed: Some(&failed), hosts: Some("web[1-2]"), ..none }, Ok("web2")),
            (Selection { failed: Some(&[]), ..none }, Err("--failed: none of these hosts failed last time")),
            (Selection { hosts: Some("web[1-5],db1"), ..none }, Err("--hosts: there is no host web[4-5]")),
            (Selection { exclude: Some("wbe1"), ..none }, Err("--exclude: there is no host wbe1")),
            (Selection { hosts: Some("x*"), ..none }, Err("--hosts x*: no host is selected")),
            (Selection { exclude: Some("@*"), ..none }, Err("--exclude @*: no host is left")),
            (
                Selection { hosts: Some("db1,@wbe"), ..none },
                Err("--hosts: there is no group `wbe`; there are @web\n  db1,@wbe\n      ^^^^"),
            ),
        ] {
            let selected = select(selection);
            assert_eq!(selected.as_deref().map_err(String::as_str), expected, "{selection:?}");
        }
    }
}
