use std::io;
use std::time::Duration;

use console::Style;
use similar::TextDiff;

use super::sheet::Sheet;

/// Outputs that are longer are not compared line by line, in bytes.
pub(super) const LONGEST: u64 = 4 << 20;

/// The longest that may be looked for the shortest difference.
const LOOKING: Duration = Duration::from_secs(2);

/// How an output is different from the one that it is held against, as a unified diff; `None` is one too long to compare.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(sheet: &mut Sheet<'_>, from: (&str, Option<&str>), to: (&str, Option<&str>)) -> io::Result<()> {
    let ((from, before), (to, after)) = (from, to);
    let (Some(before), Some(after)) = (before, after) else {
        sheet.own(&format!("the outputs of {from} and {to} differ, and are too long to compare line by line"), bold());
        sheet.end_line();
        return sheet.write();
    };
    let compared = TextDiff::configure().timeout(LOOKING).diff_lines(before, after);
    let diff = compared.unified_diff().to_string();
    if diff.is_empty() {
        return Ok(());
    }
    for (mark, hosts) in [("---", from), ("+++", to)] {
        sheet.own(&format!("{mark} {hosts}"), bold());
        sheet.end_line();
    }
    for line in diff.lines() {
        let style = match line.as_bytes().first() {
            Some(b'@') => Style::new().cyan(),
            Some(b'+') => Style::new().green(),
            Some(b'-') => Style::new().red(),
            _ => Style::new(),
        };
        sheet.line(line, style)?;
    }
    sheet.write()
}

fn bold() -> Style {
    Style::new().bold()
}
