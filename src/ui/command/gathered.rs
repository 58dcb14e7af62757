use std::collections::BTreeMap;
use std::io;

use console::Style;
use sha2::{Digest, Sha256};

use super::differences;
use super::face::Face;
use super::lines::Lines;
use super::sheet::Sheet;
use crate::fanout::{Ended, Spool};
use crate::host::{Exit, Stream};
use crate::nodes::NodeSet;

/// At the end, equal outputs once, under the hosts that wrote them, or only what is different. What hosts write to stderr is
/// shown as it comes, line by line.
pub(super) struct Gathered<'a> {
    names: &'a [String],
    lines: Lines<'a>,
    differences: bool,
    wrote: Vec<Wrote>,
    groups: BTreeMap<Key, Vec<usize>>,
}

/// Hosts are put together that ended alike and wrote the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// As a shell counts; what did not come to its end is behind all that did.
    status: u64,
    /// Of a signal, its name; of what did not come to its end, that.
    why: String,
    /// Who wrote nothing comes last.
    wrote_nothing: bool,
    digest: [u8; 32],
}

/// What a host wrote to stdout.
struct Wrote {
    bytes: Spool,
    length: u64,
    digest: Sha256,
    /// Whether the last byte was a line end, which is not in the digest yet: with it or without is the same output.
    line_ended: bool,
}

impl<'a> Gathered<'a> {
    /// So much of an output is kept in memory for all hosts together, in bytes; any more in files.
    const ALL_MEMORY: usize = 32 << 20;
    const RULE: &'static str = "---------------";

    pub(super) fn new(names: &'a [String], differences: bool, out: Sheet<'a>, err: Sheet<'a>) -> Self {
        let memory = Self::ALL_MEMORY / names.len().max(1);
        let nothing = || Wrote { bytes: Spool::new(memory), length: 0, digest: Sha256::new(), line_ended: false };
        let wrote = names.iter().map(|_| nothing()).collect();
        Self { names, lines: Lines::new(names, true, out, err), differences, wrote, groups: BTreeMap::new() }
    }

    /// Groups in clush's order: by status, then the larger first.
    fn in_order(&mut self) -> Vec<(Key, Vec<usize>)> {
        let mut groups: Vec<_> = std::mem::take(&mut self.groups).into_iter().collect();
        for (_, hosts) in &mut groups {
            hosts.sort_unstable();
        }
        groups.sort_by(|(a, of_a), (b, of_b)| {
            let ended = (a.status, &a.why, a.wrote_nothing).cmp(&(b.status, &b.why, b.wrote_nothing));
            ended.then_with(|| of_b.len().cmp(&of_a.len())).then_with(|| of_a.cmp(of_b))
        });
        groups
    }

    fn fold(&self, hosts: &[usize]) -> String {
        let folded = NodeSet::fold(hosts.iter().filter_map(|host| self.names.get(*host)).map(String::as_str));
        if hosts.len() > 1 { format!("{folded} ({})", hosts.len()) } else { folded }
    }

    fn block(&mut self, hosts: &[usize]) -> io::Result<()> {
        let header = self.fold(hosts);
        let Some(wrote) = hosts.first().and_then(|host| self.wrote.get_mut(*host)).filter(|wrote| wrote.length > 0)
        else {
            return Ok(());
        };
        let sheet = self.lines.out();
        for text in [Self::RULE, &header, Self::RULE] {
            sheet.own(text, Style::new().blue());
            sheet.end_line();
        }
        while let Some((_, piece)) = wrote.bytes.take()? {
            sheet.remote(&piece)?;
        }
        if wrote.line_ended {
            sheet.end_text();
        } else {
            sheet.end_line();
        }
        sheet.write()
    }

    fn differences(&mut self, groups: &[(Key, Vec<usize>)]) -> io::Result<()> {
        let ended: Vec<&Vec<usize>> =
            groups.iter().filter(|(key, _)| key.status < Key::UNENDED).map(|(_, hosts)| hosts).collect();
        // Of groups of one size the first one.
        let Some(most) = ended.iter().copied().rev().max_by_key(|hosts| hosts.len()) else { return Ok(()) };
        let reference = self.text(most)?;
        for hosts in ended.into_iter().filter(|hosts| *hosts != most) {
            let (from, to, other) = (self.fold(most), self.fold(hosts), self.text(hosts)?);
            differences::write(self.lines.out(), (&from, reference.as_deref()), (&to, other.as_deref()))?;
        }
        Ok(())
    }

    /// The output of these hosts, what is no UTF-8 in it as `\xff`; `None` where it is too long.
    fn text(&mut self, hosts: &[usize]) -> io::Result<Option<String>> {
        let Some(wrote) = hosts.first().and_then(|host| self.wrote.get_mut(*host)) else { return Ok(None) };
        if wrote.length > differences::LONGEST {
            return Ok(None);
        }
        let mut all = Vec::new();
        while let Some((_, piece)) = wrote.bytes.take()? {
            all.extend_from_slice(&piece);
        }
        if !wrote.line_ended && !all.is_empty() {
            all.push(b'\n');
        }
        Ok(Some(lossless(&all)))
    }
}

/// As text, in which other bytes stay other bytes.
fn lossless(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

impl Key {
    /// The status of what did not come to its end; ssh's.
    const UNENDED: u64 = 255 + (1 << 32);

    fn of(ended: &Ended<Exit>, wrote: &Wrote) -> Self {
        let (status, why) = match &ended.result {
            Ok(Exit::Status(status)) => (u64::from(*status), String::new()),
            Ok(Exit::Signal(signal)) => (128, signal.clone()),
            Err(miss) => (Self::UNENDED, format!("{:?}", miss.kind())),
        };
        let digest = wrote.digest.clone().finalize().into();
        Self { status, why, wrote_nothing: wrote.length == 0, digest }
    }
}

impl Face for Gathered<'_> {
    fn wrote(&mut self, host: usize, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if stream == Stream::Stderr {
            return self.lines.wrote(host, stream, bytes);
        }
        let Some(wrote) = self.wrote.get_mut(host).filter(|_| !bytes.is_empty()) else { return Ok(()) };
        wrote.bytes.put(stream, bytes)?;
        wrote.length += bytes.len() as u64;
        if std::mem::take(&mut wrote.line_ended) {
            wrote.digest.update(b"\n");
        }
        let text = bytes.strip_suffix(b"\n");
        wrote.line_ended = text.is_some();
        wrote.digest.update(text.unwrap_or(bytes));
        Ok(())
    }

    fn ended(&mut self, ended: &Ended<Exit>) -> io::Result<()> {
        if let Some(wrote) = self.wrote.get(ended.host) {
            self.groups.entry(Key::of(ended, wrote)).or_default().push(ended.host);
        }
        self.lines.ended(ended)
    }

    fn end(&mut self, ends: &[Ended<Exit>]) -> io::Result<()> {
        let groups = self.in_order();
        if self.differences {
            self.differences(&groups)?;
        } else {
            groups.iter().try_for_each(|(_, hosts)| self.block(hosts))?;
        }
        self.lines.end(ends)
    }
}
