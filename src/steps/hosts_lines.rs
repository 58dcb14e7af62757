use super::hosts_file::{BEGIN, BLOCK, END};

/// A line of a hosts file that maps names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HostsLine<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    /// What stands where an address should.
    pub(super) address: &'a str,
    /// At least one, unless the line is cut short.
    pub(super) names: Vec<&'a str>,
}

/// The lines outside of kfleet's block, without comments.
pub(super) fn lines(file: &str) -> Vec<HostsLine<'_>> {
    let has_whole_block = BLOCK.remove(file).is_ok();
    let mut inside = false;
    let mut lines = Vec::new();
    for (index, line) in file.lines().enumerate() {
        match line.trim_end() {
            BEGIN => inside = has_whole_block,
            END => inside = false,
            _ if inside => {}
            line => {
                let text = line.split('#').next().unwrap_or_default();
                let mut words = text.split_whitespace();
                if let Some(address) = words.next() {
                    lines.push(HostsLine { number: index + 1, address, names: words.collect() });
                }
            }
        }
    }
    lines
}
