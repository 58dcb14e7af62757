use std::collections::BTreeSet;

use crate::nodes::{Expression, Known, Names};

use super::set_report;

/// Which of the hosts that there are a command goes to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selection<'a> {
    /// `--hosts`
    pub(super) hosts: &'a [String],
    /// `--exclude`
    pub(super) exclude: &'a [String],
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
        if !self.hosts.is_empty() {
            let wanted = together("--hosts", self.hosts, known)?;
            selected.retain(|name| wanted.contains(name));
            if selected.is_empty() {
                return Err(format!("--hosts {}: no host is selected", self.hosts.join(" ")));
            }
        }
        if let Some(failed) = self.failed {
            selected.retain(|name| failed.contains(name));
            if selected.is_empty() {
                return Err("--failed: none of these hosts failed last time".to_owned());
            }
        }
        if !self.exclude.is_empty() {
            let spared = together("--exclude", self.exclude, known)?;
            selected.retain(|name| !spared.contains(name));
            if selected.is_empty() {
                return Err(format!("--exclude {}: no host is left", self.exclude.join(" ")));
            }
        }
        Ok(selected)
    }
}

/// The names of all sets in these texts, which blanks outside of brackets part, where they are not around an operator.
pub(super) fn together(flag: &str, texts: &[String], known: &Known) -> Result<Names, String> {
    let mut all = Vec::new();
    for text in texts {
        for set in sets(text) {
            all.append(&mut evaluate(flag, set, known)?.list());
        }
    }
    Ok(all.into_iter().collect())
}

fn sets(text: &str) -> Vec<&str> {
    let operator = |c: Option<char>| c.is_none_or(|c| ",!&^".contains(c));
    let (mut depth, mut start, mut found) = (0_u32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        let (before, after) = (text[start..at].trim_end(), text[at..].trim_start());
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            c if c.is_whitespace()
                && depth == 0
                && !operator(before.chars().next_back())
                && !operator(after.chars().next()) =>
            {
                found.push(before);
                start = at;
            }
            _ => {}
        }
    }
    // One that is empty is told of as such.
    found.push(&text[start..]);
    found
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
        let sets = |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
        for (hosts, exclude, failed, expected) in [
            (&[][..], &[][..], None, Ok("db1 web1 web2 web3")),
            (&["@web"], &["web2"], None, Ok("web1 web3")),
            (&[], &["web*"], None, Ok("db1")),
            (&[], &[], Some(&failed[..]), Ok("db1 web2")),
            (&["web[1-2]"], &[], Some(&failed), Ok("web2")),
            (&["db1 web[1, 3]", "web2!web2"], &[], None, Ok("db1 web1 web3")),
            (&["@web ! web[1-2] db1", "web1"], &[], None, Ok("db1 web1 web3")),
            (&[], &[" db1  web1 ", "web3"], None, Ok("web2")),
            (&[], &[], Some(&[]), Err("--failed: none of these hosts failed last time")),
            (&["web[1-5],db1"], &[], None, Err("--hosts: there is no host web[4-5]")),
            (&[], &["wbe1"], None, Err("--exclude: there is no host wbe1")),
            (&["x*", "y*"], &[], None, Err("--hosts x* y*: no host is selected")),
            (&[], &["@*"], None, Err("--exclude @*: no host is left")),
            (&[""], &[], None, Err("--hosts: a name is missing here\n  \n  ^")),
            (&["db1,@wbe"], &[], None, Err("--hosts: there is no group `wbe`; there are @web\n  db1,@wbe\n      ^^^^")),
        ] {
            let (hosts, exclude) = (sets(hosts), sets(exclude));
            let selection = Selection { hosts: &hosts, exclude: &exclude, failed };
            let selected = select(selection);
            assert_eq!(selected.as_deref().map_err(String::as_str), expected, "{selection:?}");
        }
    }
}
