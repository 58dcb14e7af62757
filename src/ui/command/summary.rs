use crate::fanout::{Ended, Miss};
use crate::host::{Exit, HostError};
use crate::nodes::NodeSet;
use crate::ui::line::{Line, Tone};

/// Why hosts failed, and what helps.
type Reason = (String, Option<String>);

/// Who failed and why, a line a reason; nothing where all went well.
#[must_use]
pub fn summary(names: &[String], ends: &[Ended<Exit>], colour: bool) -> String {
    let failed: Vec<&Ended<Exit>> = ends.iter().filter(|ended| ended.failure().is_some()).collect();
    if failed.is_empty() {
        return String::new();
    }
    let mut lines = Vec::new();
    if ends.len() > 1 {
        lines.push(Line::new(Tone::Failure, &format!("{} of {} hosts failed", failed.len(), ends.len())));
    }
    let mut reasons: Vec<(Reason, Vec<&Ended<Exit>>)> = Vec::new();
    for ended in &failed {
        let reason = (shared(&ended.result), hint(&ended.result));
        match reasons.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, hosts)) => hosts.push(ended),
            None => reasons.push((reason, vec![ended])),
        }
    }
    for ((shared, hint), hosts) in reasons {
        let folded = NodeSet::fold(hosts.iter().filter_map(|ended| names.get(ended.host)).map(String::as_str));
        let reason = if let [one] = hosts.as_slice() { reason(&one.result) } else { shared };
        lines.push(Line::new(Tone::Failure, &format!("{folded}: {reason}")));
        lines.extend(hint.map(|hint| Line::new(Tone::Even, &format!("  hint: {hint}"))));
    }
    lines.iter().map(|line| if colour { line.painted() } else { line.plain().to_owned() } + "\n").collect()
}

/// Why a host failed, as it is said of that host alone; how it ended, where it did not fail.
#[must_use]
pub fn reason(result: &Result<Exit, Miss>) -> String {
    match result {
        Ok(exit) => exit.to_string(),
        Err(miss) => miss.to_string(),
    }
}

/// The same without what differs from host to host, so that it can be said of many.
fn shared(result: &Result<Exit, Miss>) -> String {
    match result {
        Err(Miss::Host(HostError::Unreachable { reason, .. })) => format!("cannot be reached: {reason}"),
        Err(Miss::Host(HostError::Resolve { reason, .. })) => format!("cannot be resolved: {reason}"),
        result => reason(result),
    }
}

/// What the person at the keyboard can do.
pub(super) fn hint(result: &Result<Exit, Miss>) -> Option<String> {
    match result {
        // Of a command that was cut nothing is known to be done, so the usual hint would be a wrong one.
        Err(Miss::Host(HostError::Lost { .. })) => Some("what ran there may still be running".to_owned()),
        Err(Miss::Host(error)) => error.hint().map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::summary;
    use crate::fanout::{Ended, Miss};
    use crate::host::{Exit, HostError};

    #[test]
    fn reasons_are_told_once() {
        let gone = |address: &str| {
            let (address, reason) = (address.to_owned(), "no route".to_owned());
            Err(Miss::Host(HostError::Unreachable { address, reason }))
        };
        let results = [
            Ok(Exit::Status(3)),
            Ok(Exit::Status(0)),
            Ok(Exit::Status(3)),
            gone("n4:22"),
            gone("n5:22"),
            Err(Miss::TooLong(Duration::from_secs(5))),
        ];
        let names: Vec<String> = (1..=6).map(|number| format!("n{number}")).collect();
        let ends = |results: &[Result<Exit, Miss>]| {
            let ends = results.iter().cloned().enumerate();
            ends.map(|(host, result)| Ended { host, result, took: Duration::ZERO }).collect::<Vec<_>>()
        };
        assert_eq!(
            summary(&names, &ends(&results), false),
            "5 of 6 hosts failed\nn[1,3]: exit status 3\nn[4-5]: cannot be reached: no route\n  hint: is it up, does its \
             firewall let you in, and is that sshd's port? try `ssh` to it\nn6: not done within 5 s\n"
        );
        assert_eq!(
            summary(&names[3..], &ends(&results[3..4]), false).lines().next().unwrap(),
            "n4: cannot reach n4:22: no route"
        );
        assert_eq!(summary(&names, &ends(&results[1..2]), false), "");
    }
}
