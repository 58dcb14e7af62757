use comfy_table::{ContentArrangement, Table, presets};

/// Columns and nothing else, as kubectl's: easy on the eye and on `awk`. No line ends in spaces.
pub(super) fn table_lines<const N: usize>(
    header: [String; N],
    rows: impl IntoIterator<Item = [String; N]>,
    columns: Option<usize>,
) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if let Some(columns) = columns {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// `1 host`, `2 hosts`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
