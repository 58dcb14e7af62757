use std::collections::BTreeSet;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{local_command, printable};
use crate::cli::Exit;
use crate::cli::errand::Errand;
use crate::cli::exit::complain;
use crate::cli::fanout_run::{Came, FanoutRun};
use crate::cli::last_failed::LastFailed;
use crate::cli::reader::Reader;
use crate::cli::selection::together;
use crate::cli::signals::Signals;
use crate::cli::surfaces::manner;
use crate::events::FailureKind;
use crate::fanout::{Ended, Kept, Miss};
use crate::host::Connect;
use crate::nodes::{Known, NodeSet};
use crate::ui::command::{Files, Shape};

/// The hosts of a shell, their connections, and which of them the next command goes to.
pub(super) struct Session {
    /// All hosts, in order, and their groups.
    pub(super) known: Known,
    /// The same hosts.
    pub(super) hosts: Vec<Arc<Kept>>,
    /// The names of those that are selected; never none.
    pub(super) selected: BTreeSet<String>,
    /// Whether equal outputs are shown once.
    pub(super) gather: bool,
    /// Whether commands run as root.
    pub(super) root: bool,
    /// How many hosts are worked on at once.
    pub(super) parallel: usize,
    /// The longest that a command may take on a host.
    pub(super) limit: Option<Duration>,
    /// Where it is kept which hosts fail.
    pub(super) last_failed: LastFailed,
}

/// How a command on the selected hosts ended.
pub(super) struct Ran {
    /// The kinds of failures that there were.
    pub(super) failures: Vec<FailureKind>,
    /// Whether Ctrl-C ended it.
    pub(super) interrupted: bool,
}

/// How a set changes the selection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// It is the selection.
    Set,
    /// It is added.
    Add,
    /// It is taken away.
    Remove,
}

impl Session {
    /// The longest text of a selection in a prompt, in characters.
    const PROMPT: usize = 40;

    /// Selects all hosts.
    pub(super) fn select_all(&mut self) {
        self.selected = self.known.names.iter().cloned().collect();
    }

    /// Changes the selection by a node set, in which a group's name may stand for the group where no host has it.
    ///
    /// # Errors
    /// With what a person is told; the selection is as before then.
    pub(super) fn select(&mut self, change: Change, set: &str) -> Result<(), String> {
        let is_group = self.known.groups.contains_key(set) && !self.known.names.iter().any(|name| name == set);
        let set = if is_group { format!("@{set}") } else { set.to_owned() };
        let names: BTreeSet<String> = together("selection", &[set], &self.known)?.list().into_iter().collect();
        let changed = match change {
            Change::Set => names,
            Change::Add => self.selected.union(&names).cloned().collect(),
            Change::Remove => self.selected.difference(&names).cloned().collect(),
        };
        if changed.is_empty() {
            return Err("no host would be selected".to_owned());
        }
        self.selected = changed;
        Ok(())
    }

    /// The selection as it is written.
    pub(super) fn folded(&self) -> String {
        printable(&NodeSet::fold(self.selected.iter().map(String::as_str)))
    }

    /// What stands before a line that is typed.
    pub(super) fn prompt(&self) -> String {
        let folded = self.folded();
        if folded.chars().count() > Self::PROMPT { format!("{} hosts> ", self.selected.len()) } else { folded + "> " }
    }

    /// Runs a command on the selected hosts.
    pub(super) async fn run(&self, line: &str, signals: &mut Signals, reader: &Reader) -> Result<Ran, Exit> {
        let (mut names, mut kept) = (Vec::new(), Vec::new());
        for (name, host) in self.known.names.iter().zip(&self.hosts).filter(|(name, _)| self.selected.contains(*name)) {
            names.push(name.clone());
            kept.push(host);
        }
        let lost: Vec<&str> = kept.iter().filter(|host| host.is_lost()).map(|host| host.name()).collect();
        if !lost.is_empty() {
            complain(Exit::Local, &format!("{}: the connection was lost; connecting again", NodeSet::fold(lost)));
        }
        let errand = if self.root { Errand::RootLine(line.to_owned()) } else { Errand::Line(line.to_owned()) };
        let shape = if self.gather { Shape::Gathered } else { Shape::Lines { prefix: true } };
        let run = FanoutRun {
            names: &names,
            hosts: kept.iter().map(|host| Arc::clone(host) as Arc<dyn Connect>).collect(),
            parallel: self.parallel,
            limit: self.limit,
            manner: manner(shape),
            files: Files::default(),
            last_failed: &self.last_failed,
        };
        match run.drive(errand, None, signals, reader).await {
            Came::ToAnEnd(ends) => Ok(Ran {
                failures: ends.iter().filter_map(Ended::failure).collect(),
                interrupted: ends.iter().any(|ended| ended.result == Err(Miss::Interrupted)),
            }),
            Came::Left(at_it) => {
                at_it.into_iter().filter_map(|host| kept.get(host)).for_each(|host| host.forget());
                Ok(Ran { failures: vec![FailureKind::Deadline], interrupted: true })
            }
            Came::Unread => Err(Exit::SUCCESS),
            Came::ToNothing(exit) => Err(exit),
        }
    }

    /// Ends all connections in good order.
    pub(super) async fn close(&self) {
        futures::future::join_all(self.hosts.iter().map(|host| host.close())).await;
    }
}

/// Runs a command on this machine, by its shell; says how it ended where that is a failure.
pub(super) async fn local(line: &str, personal: bool) -> Option<FailureKind> {
    let stdin = if personal { Stdio::inherit() } else { Stdio::null() };
    let mut shell = local_command("/bin/sh");
    shell.args(["-c", line]).stdin(stdin);
    let status = tokio::process::Command::from(shell).status().await;
    let failed = match status.map_err(|error: io::Error| error.to_string()) {
        Ok(status) if status.success() => return None,
        Ok(status) => status.to_string(),
        Err(reason) => reason,
    };
    complain(Exit::Local, &format!("on this machine: {failed}"));
    Some(FailureKind::Local)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::cli::last_failed::LastFailed;
    use crate::nodes::Known;

    use super::{Change, Session};

    #[test]
    fn sets_change_the_selection() {
        let names: Vec<String> = (1..=5).map(|number| format!("node{number}")).collect();
        let groups = BTreeMap::from([("web".to_owned(), names[1..3].to_vec())]);
        let mut session = Session {
            known: Known { names: names.clone(), groups },
            hosts: Vec::new(),
            selected: names.into_iter().collect(),
            gather: false,
            root: false,
            parallel: 1,
            limit: None,
            last_failed: LastFailed::of(None).unwrap(),
        };
        for (change, set, selected) in [
            (Change::Remove, "node[1-2]", Ok("node[3-5]")),
            (Change::Set, "web", Ok("node[2-3]")),
            (Change::Add, "node5", Ok("node[2-3,5]")),
            (Change::Remove, "@web", Ok("node5")),
            (Change::Add, "node1 node3", Ok("node[1,3,5]")),
            (Change::Remove, "node[1, 3]", Ok("node5")),
            (Change::Remove, "node*", Err("no host would be selected")),
            (Change::Add, "node9", Err("selection: there is no host node9")),
            (Change::Set, "node[1", Err("selection: a `[` without its `]`\n  node[1\n      ^")),
        ] {
            let changed = session.select(change, set);
            assert_eq!(
                changed.as_ref().map(|()| session.folded()).map_err(String::as_str),
                selected.map(str::to_owned)
            );
        }
        assert_eq!(session.prompt(), "node5> ");
        session.select_all();
        assert_eq!(session.prompt(), "node[1-5]> ");
    }
}
