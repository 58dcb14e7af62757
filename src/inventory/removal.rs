use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::nodes::NodeSet;

/// An inventory's text without some hosts, as far as whole `[[hosts]]` tables name nobody else; every other byte, comments
/// included, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The text.
    pub text: String,
    /// The hosts that are not in it any more.
    pub removed: Vec<String>,
    /// What only a person can write anew.
    pub by_hand: Vec<ByHand>,
}

/// A line that names hosts that leave beside others that stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// Counted from 1.
    pub line: usize,
    /// As it is.
    pub text: String,
    /// The hosts that leave.
    pub leaving: Vec<String>,
    /// What the name has to be without them; where the table has an address or a node_ip for each, those in step with it.
    pub name: String,
}

/// More than an inventory may have.
const MOST_HOSTS: usize = 10_000;

impl Removal {
    /// Of a text that was read as an inventory.
    #[must_use]
    pub fn of(text: &str, leaving: &BTreeSet<String>) -> Self {
        let (table, _) = DeTable::parse_recoverable(text);
        let mut removal = Self { text: text.to_owned(), removed: Vec::new(), by_hand: Vec::new() };
        let Some(DeValue::Array(entries)) = table.get_ref().get("hosts").map(|hosts| hosts.get_ref()) else {
            return removal;
        };
        let mut cuts: Vec<Range<usize>> = Vec::new();
        for entry in entries.iter() {
            let DeValue::Table(keys) = entry.get_ref() else { continue };
            let Some((DeValue::String(name), at)) = keys.get("name").map(|name| (name.get_ref(), name.span())) else {
                continue;
            };
            let names = NodeSet::parse(name).ok().and_then(|set| set.expand(MOST_HOSTS)).unwrap_or_default();
            let (gone, staying): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| leaving.contains(name));
            let header = lines_from(text, entry.span().start);
            if gone.is_empty() {
                continue;
            }
            if staying.is_empty() && text[header.clone()].trim_start().starts_with("[[") {
                cuts.push(header.start..lines_from(text, end(keys).max(entry.span().end)).end);
                removal.removed.extend(gone);
            } else {
                removal.by_hand.push(ByHand {
                    line: text[..at.start].matches('\n').count() + 1,
                    text: text[lines_from(text, at.start)].trim().to_owned(),
                    leaving: gone,
                    name: NodeSet::fold(staying.iter().map(String::as_str)),
                });
            }
        }
        for cut in cuts.into_iter().rev() {
            let after = &text[cut.end..];
            // Of the blank lines on both sides those before are enough.
            let blank = after.len() - after.trim_start_matches(['\n', '\r']).len();
            let doubled = cut.start == 0 || text[..cut.start].ends_with("\n\n");
            removal.text.replace_range(cut.start..cut.end + if doubled { blank } else { 0 }, "");
        }
        removal
    }
}

/// Where the last value of a table ends, those of its own tables included.
fn end(keys: &DeTable<'_>) -> usize {
    let ends = keys.iter().map(|(_, value)| match value.get_ref() {
        DeValue::Table(keys) => end(keys).max(value.span().end),
        _ => value.span().end,
    });
    ends.max().unwrap_or_default()
}

/// The line that has this byte, its end included.
fn lines_from(text: &str, at: usize) -> Range<usize> {
    // A span that ends with its line's end is of that line.
    let at =
        if at > 0 && text.as_bytes().get(at - 1) == Some(&b'\n') && !text[at..].starts_with('[') { at - 1 } else { at };
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::Removal;

    const INVENTORY: &str = "# the lab\n[cluster]\nname = \"lab\" # its name\n\n# the first\n[[hosts]]\nname = \"h1\"\nrole = \
                             \"control-plane\"\n\n# in the cellar\n[[hosts]]\nname   =   \"h2\"   # loud\naddress = \
                             \"10.0.0.2\"\n\n[hosts.ssh]\nuser = \"ops\"  # theirs\n\n# the rest\n[[hosts]]\nname = \
                             \"h[3-5]\"\naddress = \"10.0.0.[3-5]\"\n# the end\n";

    fn without(text: &str, names: &[&str]) -> Removal {
        Removal::of(text, &names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_host_with_a_table_of_its_own_goes_with_it_and_nothing_else_moves() {
        let removal = without(INVENTORY, &["h2"]);
        let table =
            "[[hosts]]\nname   =   \"h2\"   # loud\naddress = \"10.0.0.2\"\n\n[hosts.ssh]\nuser = \"ops\"  # theirs\n";
        assert_eq!(removal.text, INVENTORY.replace(table, ""));
        assert_eq!((removal.removed, removal.by_hand.len()), (vec!["h2".to_owned()], 0));
    }

    #[test]
    fn a_range_that_leaves_as_a_whole_goes_and_the_last_comment_stays() {
        let removal = without(INVENTORY, &["h3", "h4", "h5"]);
        assert_eq!(removal.text, INVENTORY.replace("[[hosts]]\nname = \"h[3-5]\"\naddress = \"10.0.0.[3-5]\"\n", ""));
        assert_eq!(removal.removed, ["h3", "h4", "h5"]);
    }

    #[test]
    fn of_a_range_that_stays_in_part_the_line_is_told() {
        let removal = without(INVENTORY, &["h4", "h2"]);
        assert_eq!(removal.removed, ["h2"]);
        let [by_hand] = &removal.by_hand[..] else { panic!("{removal:#?}") };
        assert_eq!((by_hand.line, by_hand.text.as_str(), by_hand.name.as_str()), (20, "name = \"h[3-5]\"", "h[3,5]"));
        assert_eq!(by_hand.leaving, ["h4"]);
    }

    #[test]
    fn tables_written_inline_are_left_to_a_person() {
        let text = "hosts = [\n  { name = \"h1\", role = \"control-plane\" },\n  { name = \"h2\" },\n]\n";
        let removal = without(text, &["h2"]);
        assert_eq!((removal.text.as_str(), removal.by_hand.len()), (text, 1));
        assert_eq!(removal.by_hand[0].line, 3);
    }

    #[test]
    fn blank_lines_do_not_add_up() {
        let text = "[[hosts]]\nname = \"a\"\n\n[[hosts]]\nname = \"b\"\n\n[[hosts]]\nname = \"c\"\n";
        assert_eq!(without(text, &["b"]).text, "[[hosts]]\nname = \"a\"\n\n[[hosts]]\nname = \"c\"\n");
        assert_eq!(without(text, &["a"]).text, "[[hosts]]\nname = \"b\"\n\n[[hosts]]\nname = \"c\"\n");
        assert_eq!(without(text, &["c"]).text, "[[hosts]]\nname = \"a\"\n\n[[hosts]]\nname = \"b\"\n\n");
    }
}
