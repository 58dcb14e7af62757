use crate::events::Holder;
use crate::nodes::NodeSet;

use super::failure::wrapped;
use super::line::{Line, Tone};

/// Who is in the way, and what to do about it.
pub(super) fn refused(
    host: &str,
    holder: Option<&Holder>,
    still_running: &[(String, String)],
    columns: Option<usize>,
) -> Vec<Line> {
    let who = holder.map_or_else(|| "somebody who left no name".to_owned(), ToString::to_string);
    let mut lines = wrapped(Tone::Failure, &format!("locked on {host}: {who}; nothing was changed"), "", "  ", columns);
    for (host, what) in still_running {
        lines.extend(wrapped(Tone::Failure, &format!("still runs on {host}: {what}"), "  ", "    ", columns));
    }
    let hint = if still_running.is_empty() {
        "hint     run again when that has ended; a minute after its workstation is gone, the lock is too"
    } else {
        "hint     run again when that has ended, or let them run theirs again to follow it"
    };
    lines.extend(wrapped(Tone::Even, hint, "  ", "           ", columns));
    lines
}

/// Somebody changed hosts between the plan and the moment when it was to be carried out.
pub(super) fn plan_changed(hosts: &[String], columns: Option<usize>) -> Vec<Line> {
    let hosts = NodeSet::fold(hosts.iter().map(String::as_str));
    let text = format!("the plan changed: something else happened on {hosts} in the meantime; nothing was done yet");
    wrapped(Tone::Warning, &text, "", "  ", columns)
}
