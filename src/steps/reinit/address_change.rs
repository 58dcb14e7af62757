use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::IpAddr;

use crate::base::quote;

/// An address that takes the place of others, wherever they stand as whole words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressChange {
    /// The old ones; of one family with the new one.
    pub from: BTreeSet<IpAddr>,
    /// The new one.
    pub to: IpAddr,
}

const SHARED: &str = include_str!("../../../templates/reinit/shared.sh");

/// Matches no line: where no address is an old one.
const NOTHING: &str = "$.^";

impl AddressChange {
    /// What every script of a change begins with: what it looks for and what it puts there, then the functions for it.
    pub(in crate::steps) fn prelude(&self) -> String {
        let words = self.from.iter().map(ToString::to_string).collect::<Vec<_>>();
        let stale = match escaped(&words).join("|") {
            words if words.is_empty() => NOTHING.to_owned(),
            words => format!("(^|{edge})({words})($|{edge})", edge = self.edge()),
        };
        format!(
            "olds={}\nnew={}\nstale={}\nmoves={}\nstale_names={}\nnew_name={}\n{SHARED}",
            quote(&words.join(" ")),
            quote(&self.to.to_string()),
            quote(&stale),
            quote(&self.moves(&words)),
            quote(&self.from.iter().map(|address| in_certificate(*address)).collect::<Vec<_>>().join("|")),
            quote(&in_certificate(self.to)),
        )
    }

    /// For sed -E. A match takes the sign behind it along, so it is done until nothing is left.
    fn moves(&self, words: &[String]) -> String {
        let edge = self.edge();
        let mut moves = "/^[[:space:]-]*image:/b\n".to_owned();
        for (index, word) in escaped(words).iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(moves, ":a{index}\ns/(^|{edge}){word}($|{edge})/\\1{}\\2/\nta{index}\n", self.to);
        }
        moves
    }

    /// What may stand beside a whole address: not 10.88.0.11 in 10.88.0.110, and no port's colon before an IPv6 address ends.
    fn edge(&self) -> &'static str {
        if self.to.is_ipv4() { "[^0-9A-Za-z._-]" } else { "[^0-9A-Za-z:._-]" }
    }

    /// A name of a certificate after the change.
    pub(super) fn moved(&self, name: &str) -> String {
        match name.parse() {
            Ok(address) if self.from.contains(&address) => self.to.to_string(),
            _ => name.to_owned(),
        }
    }
}

fn escaped(words: &[String]) -> Vec<String> {
    words.iter().map(|word| word.replace('.', "\\.")).collect()
}

/// As DER has an iPAddress among a certificate's names, in hex.
fn in_certificate(address: IpAddr) -> String {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("87{:02x}{hex}", bytes.len())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::AddressChange;

    fn change(from: &[&str], to: &str) -> AddressChange {
        let from = from.iter().map(|word| word.parse().unwrap()).collect();
        AddressChange { from, to: to.parse().unwrap() }
    }

    /// What the functions of the prelude make of a file, and whether they find it stale before and after.
    fn run(change: &AddressChange, text: &str) -> (bool, String, bool) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, text).unwrap();
        let stale = |part: &str| {
            let script = format!("set -eu\n{}\nfile={}\n{part}", change.prelude(), file.display());
            let mut shell = Command::new("/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
            let output = shell.wait_with_output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        const LOOK: &str = "if is_stale \"$file\"; then echo yes; else echo no; fi";
        let before = stale(LOOK) == "yes\n";
        let moved = stale("sed -E \"$moves\" \"$file\"");
        std::fs::write(&file, &moved).unwrap();
        (before, moved, stale(LOOK) == "yes\n")
    }

    #[test]
    fn whole_addresses_are_replaced_and_nothing_that_looks_like_one() {
        let change = change(&["10.88.0.1"], "10.88.0.11");
        let text = "    server: https://10.88.0.1:6443\n- --listen=https://127.0.0.1:2379,https://10.88.0.1:2379\n10.88.0.1\n\
                    10.88.0.1,10.88.0.1 10.88.0.1\n";
        let after = text.replace("10.88.0.1", "10.88.0.11");
        assert_eq!(run(&change, text), (true, after, false));
        let others = "10.88.0.11 10.88.0.10 110.88.0.1 x10.88.0.1 10.88.0.1.nip.io a-10.88.0.1-b 10x88.0.1\n  image: 10.88.0.1:5000/etcd\n\
                      - image: 10.88.0.1/a\n";
        assert_eq!(run(&change, others), (false, others.to_owned(), false));
    }

    #[test]
    fn where_nothing_is_old_nothing_is_replaced() {
        let text = "10.88.0.1\n\nserver: https://10.88.0.1:6443\n";
        assert_eq!(run(&change(&[], "10.88.0.11"), text), (false, text.to_owned(), false));
    }

    #[test]
    fn addresses_of_six_and_several_at_once() {
        let six = change(&["fd00::1"], "fd00::11");
        let text = "https://[fd00::1]:6443 fd00::1\nfd00::1:2 fd00::11 1fd00::1\n";
        let after = "https://[fd00::11]:6443 fd00::11\nfd00::1:2 fd00::11 1fd00::1\n";
        assert_eq!(run(&six, text), (true, after.to_owned(), false));
        let several = change(&["10.0.0.1", "10.0.0.2"], "10.0.0.3");
        assert_eq!(
            run(&several, "10.0.0.1 10.0.0.2,10.0.0.1\n"),
            (true, "10.0.0.3 10.0.0.3,10.0.0.3\n".to_owned(), false)
        );
    }

    #[test]
    fn a_certificate_has_addresses_as_bytes() {
        assert_eq!(super::in_certificate("10.88.0.11".parse().unwrap()), "87040a58000b");
        assert_eq!(super::in_certificate("::1".parse().unwrap()), "871000000000000000000000000000000001");
    }
}
