/// A range's letters, as Ansible counts them.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// As many as an inventory holds.
const MOST: usize = 10_000;

/// The names that `www[01:50].example.com`, `db-[a:f]` or `[1:9:2]` stand for; itself where it has no range.
///
/// # Errors
/// When it has brackets and what is in them is no range.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some((head, rest)) = pattern.split_once('[') else { return Ok(vec![pattern.to_owned()]) };
    let (range, tail) = rest.split_once(']').ok_or_else(|| format!("`{pattern}` has a bracket that is not closed"))?;
    let members = members(range).ok_or_else(|| format!("`[{range}]` is no range such as [01:20] or [a:f]"))?;
    let tails = expand(tail)?;
    if members.len().saturating_mul(tails.len()) > MOST {
        return Err(format!("`{pattern}` is more than {MOST} hosts"));
    }
    Ok(members.iter().flat_map(|member| tails.iter().map(move |tail| format!("{head}{member}{tail}"))).collect())
}

fn members(range: &str) -> Option<Vec<String>> {
    let mut parts = range.split(':');
    let (first, last, step) = (parts.next()?, parts.next()?, parts.next().unwrap_or("1"));
    let step: usize = step.parse().ok().filter(|step| *step > 0 && parts.next().is_none())?;
    let letter = |text: &str| LETTERS.find(text).filter(|_| text.len() == 1);
    if let (Some(first), Some(last)) = (letter(first), letter(last)) {
        return Some(LETTERS.get(first..=last)?.chars().step_by(step).map(String::from).collect());
    }
    let first = if first.is_empty() { "0" } else { first };
    // The padding of the first counts, and the last must have it too.
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    if width > 0 && last.len() != width {
        return None;
    }
    let number = |text: &str| text.parse::<usize>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let (first, last) = (number(first)?, number(last)?);
    let count = last.checked_sub(first)? / step + 1;
    // One more than the most says as much as all of them.
    Some((first..=last).step_by(step).take(count.min(MOST + 1)).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn ranges_are_ansibles() {
        for (pattern, hosts) in [
            ("node1", &["node1"][..]),
            ("node[01:03]", &["node01", "node02", "node03"]),
            ("node[9:11].lan", &["node9.lan", "node10.lan", "node11.lan"]),
            ("db-[a:c]", &["db-a", "db-b", "db-c"]),
            ("n[1:5:2]", &["n1", "n3", "n5"]),
            ("r[1:2]n[a:b]", &["r1na", "r1nb", "r2na", "r2nb"]),
            ("n[:2]", &["n0", "n1", "n2"]),
        ] {
            assert_eq!(expand(pattern).unwrap(), hosts, "{pattern}");
        }
        for bad in ["n[1:", "n[]", "n[1-3]", "n[3:1]", "n[08:9]", "n[a:5]", "n[1:2:0]", "n[1:2:3:4]", "n[0:99999999]"] {
            assert!(expand(bad).is_err(), "{bad}");
        }
    }
}
