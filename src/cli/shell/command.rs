use std::io::{self, Write};
use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::cli::Exit;
use crate::cli::drive::state_dir;
use crate::cli::exit::{complain, statuses};
use crate::cli::fanout_args::FanoutArgs;
use crate::cli::reader::Reader;
use crate::cli::signals::Signals;
use crate::cli::sudo_password::SudoPasswordArg;
use crate::cli::targets::{TargetArgs, Targets};
use crate::events::{FailureKind, Outcome};
use crate::fanout::Kept;

use super::entry::Entry;
use super::prompt::{Line, Modes, Prompt};
use super::session::{Change, Session, local};

/// Run commands on many hosts from a prompt, over connections that stay open
///
/// Each line is a command, run as `kfleet run` runs it, on the hosts that are selected. A host is connected to when a command
/// first goes to it, and again when its connection was lost. On a terminal there is a prompt, with a history; else the
/// commands are the lines of stdin.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(in crate::cli) struct ShellArgs {
    #[command(flatten)]
    targets: TargetArgs,

    #[command(flatten)]
    fanout: FanoutArgs,

    /// Run commands as root, by sudo where another user logs in; they are then run by /bin/sh
    #[arg(long, help_heading = "Command")]
    sudo: bool,

    #[command(flatten)]
    sudo_password: SudoPasswordArg,

    /// Equal outputs once, under the hosts that wrote them; `=` changes that
    #[arg(short = 'b', long, help_heading = "Output")]
    gather: bool,
}

macro_rules! lines {
    () => {
        "  COMMAND    run it on the selected hosts
  @SET       select these hosts: a node set, or a group's name; @ alone selects all
  +SET -SET  select these, too; these no longer
  !COMMAND   run it on this machine
  =          equal outputs once, or line by line again
  ?          this help, and which hosts are selected
  quit       leave, as Ctrl-D does
  # ...      nothing
  Ctrl-C ends what runs on the hosts; a second one does not wait for that.
"
    };
}

const AFTER: &str = concat!(
    "Lines:
",
    lines!(),
    "
Examples:
  kfleet shell --hosts '@worker'
  kfleet shell -b -H 'root@node[1-9]' < commands

Files:
  $XDG_STATE_HOME/kfleet/shell/history   the lines that were typed, for your eyes only, but for
                                         those that begin with a blank
                                         (~/.local/state where XDG_STATE_HOME is not set)

The exit status is 0 where lines are typed, else that of the worst of all commands. Ctrl-C ends
all of a batch, and so does a selection that cannot be made or a line that is not UTF-8.

",
    statuses!()
);

pub(in crate::cli) async fn run(args: ShellArgs) -> Exit {
    match args.run().await {
        Ok(exit) | Err(exit) => exit,
    }
}

impl ShellArgs {
    async fn run(self) -> Result<Exit, Exit> {
        let local = |error: io::Error| complain(Exit::Local, &error.to_string());
        let password = self.sudo.then(|| self.sudo_password.get()).transpose()?;
        let targets = self.targets.resolve(self.sudo, password.flatten().as_ref())?;
        let Targets { names, hosts, known, last_failed } = targets;
        let session = Session {
            known,
            hosts: hosts.into_iter().map(|host| Arc::new(Kept::new(host))).collect(),
            selected: names.into_iter().collect(),
            gather: self.gather,
            root: self.sudo,
            parallel: self.fanout.parallel(),
            limit: self.fanout.limit(),
            last_failed,
        };
        let history = state_dir("shell").ok().map(|state| state.path("history"));
        Prompt::new(history)
            .map_err(local)
            .map(|prompt| Dialogue { session, prompt: Some(prompt), failures: Vec::new() })?
            .hold()
            .await
    }
}

/// Lines, and what is done for each.
struct Dialogue {
    session: Session,
    /// Away while it waits for a line.
    prompt: Option<Prompt>,
    /// The kinds of failures that there were.
    failures: Vec<FailureKind>,
}

impl Dialogue {
    async fn hold(mut self) -> Result<Exit, Exit> {
        let exit = self.converse().await;
        self.session.close().await;
        exit
    }

    async fn converse(&mut self) -> Result<Exit, Exit> {
        let personal = self.prompt.as_ref().is_some_and(Prompt::is_personal);
        let modes = Modes::now();
        let (mut signals, reader) = (Signals::new(), Reader::watch());
        if personal {
            say(&format!("{} selected; ? for help, Ctrl-D to leave\n", self.session.folded()));
        }
        loop {
            let line = tokio::select! {
                line = self.line() => line?,
                () = signals.next() => {
                    modes.restore();
                    self.failures.push(FailureKind::Deadline);
                    break;
                }
            };
            let mut interrupted = false;
            match line {
                Line::Text(line) => match Entry::of(&line) {
                    Entry::Quit => break,
                    Entry::Local(line) => {
                        self.failures.extend(local(line, personal).await);
                    }
                    Entry::Remote(line) => {
                        let ran = self.session.run(line, &mut signals, &reader).await?;
                        self.failures.extend(ran.failures);
                        interrupted |= ran.interrupted;
                    }
                    entry => match self.change(entry, personal) {
                        // A batch must not go on with other hosts than it names.
                        Err(exit) if !personal => return Err(exit),
                        _ => {}
                    },
                },
                Line::Dropped => {}
                Line::End => break,
            }
            interrupted |= signals.have_come();
            // What a person interrupts is the command; what is interrupted of a batch is all of it.
            if interrupted && !personal {
                self.failures.push(FailureKind::Deadline);
                break;
            }
        }
        // What failed was told to the person; only a program reads it off the exit status.
        let failures = if personal { Vec::new() } else { std::mem::take(&mut self.failures) };
        Ok(Exit::Run(Outcome::of(failures)))
    }

    async fn line(&mut self) -> Result<Line, Exit> {
        let bug = |what: &str| complain(Exit::Local, &format!("a bug in kfleet: {what}"));
        let mut prompt = self.prompt.take().ok_or_else(|| bug("there is no prompt"))?;
        let text = self.session.prompt();
        let waiting = spawn_blocking(move || {
            let line = prompt.read(&text);
            (prompt, line)
        });
        let (prompt, line) = waiting.await.map_err(|error| bug(&error.to_string()))?;
        self.prompt = Some(prompt);
        line.map_err(|error| complain(Exit::Local, &format!("cannot read a line: {error}")))
    }

    /// What an entry is that runs nothing.
    fn change(&mut self, entry: Entry<'_>, personal: bool) -> Result<(), Exit> {
        let changed = match entry {
            Entry::SelectAll => {
                self.session.select_all();
                Ok(())
            }
            Entry::Select(set) => self.session.select(Change::Set, set),
            Entry::Add(set) => self.session.select(Change::Add, set),
            Entry::Remove(set) => self.session.select(Change::Remove, set),
            Entry::Toggle => {
                self.session.gather = !self.session.gather;
                if personal {
                    say(if self.session.gather { "equal outputs once\n" } else { "line by line\n" });
                }
                Ok(())
            }
            Entry::Help => {
                say(&format!("{}selected: {} ({})\n", lines!(), self.session.folded(), self.session.selected.len()));
                Ok(())
            }
            Entry::Nothing | Entry::Quit | Entry::Local(_) | Entry::Remote(_) => Ok(()),
        };
        changed.map_err(|reason| complain(Exit::Usage, &reason))
    }
}

/// Tells a person, beside what hosts write.
fn say(text: &str) {
    // Where stderr is gone there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}
