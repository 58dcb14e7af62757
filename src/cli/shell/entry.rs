/// What a line at the prompt means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// Nothing is to be done.
    Nothing,
    /// What there is to type, and which hosts are selected.
    Help,
    /// Leave.
    Quit,
    /// Equal outputs once, or line by line again.
    Toggle,
    /// All hosts are selected.
    SelectAll,
    /// These hosts are selected.
    Select(&'a str),
    /// These hosts, too.
    Add(&'a str),
    /// These hosts no longer.
    Remove(&'a str),
    /// A command for this machine.
    Local(&'a str),
    /// A command for the hosts.
    Remote(&'a str),
}

impl<'a> Entry<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        let line = line.trim();
        let after = |mark| line.strip_prefix(mark).map(str::trim_start);
        match line {
            "" => Self::Nothing,
            "?" | "help" => Self::Help,
            "quit" | "exit" => Self::Quit,
            "=" => Self::Toggle,
            "@" => Self::SelectAll,
            _ if line.starts_with('#') => Self::Nothing,
            _ => (after('@').map(Self::Select))
                .or_else(|| after('+').map(Self::Add))
                .or_else(|| after('-').map(Self::Remove))
                .or_else(|| after('!').map(Self::Local))
                .unwrap_or(Self::Remote(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Entry;

    #[test]
    fn a_line_is_for_the_hosts_unless_its_first_character_says_otherwise() {
        for (line, entry) in [
            ("", Entry::Nothing),
            ("  # later", Entry::Nothing),
            (" ? ", Entry::Help),
            ("exit", Entry::Quit),
            ("exit 3", Entry::Remote("exit 3")),
            ("@", Entry::SelectAll),
            ("@ node[1-3]", Entry::Select("node[1-3]")),
            ("@@web", Entry::Select("@web")),
            ("+a,b", Entry::Add("a,b")),
            ("-a", Entry::Remove("a")),
            ("!ls -l", Entry::Local("ls -l")),
            ("uname -r ", Entry::Remote("uname -r")),
        ] {
            assert_eq!(Entry::of(line), entry, "{line}");
        }
    }
}
