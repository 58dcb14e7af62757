use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use jiff::ZonedDateTime;
use tokio::sync::watch;

use super::common_args::Common;
use super::ending::Ending;
use super::output_files::OutputFiles;
use super::report::Report;
use crate::base::Interrupt;
use crate::cli::Exit;
use crate::cli::exit::complain;
use crate::cli::look_args::paints_stdout;
use crate::cli::signals::Signals;
use crate::events::{FailureKind, Outcome};
use crate::fanout::{Fanout, Told, command};
use crate::host::{Connect, Request, Stream};

/// What a status other than 0 and ssh's 255 is a failure of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// The remote command.
    Command,
    /// The copy, for pscp and prsync, which have one exit code for all of it.
    Copy,
}

/// Runs `request` on the hosts, which are those of `common.entries` in order, and tells of it as pssh does.
pub(super) async fn drive(
    common: &Common,
    hosts: Vec<Arc<dyn Connect>>,
    status: Status,
    request: impl Fn(usize) -> Request + Send + Sync + 'static,
) -> Exit {
    let (switch, interrupt) = Interrupt::pair();
    let shown: Vec<String> = common.entries.iter().map(|entry| entry.shown(common.user.as_deref())).collect();
    let files = |directory: &Option<std::path::PathBuf>| {
        let names = || shown.iter().map(String::as_str);
        directory.as_deref().map(|directory| OutputFiles::new(directory, names(), common.append)).transpose()
    };
    let (stdout, stderr) = match (files(&common.outdir), files(&common.errdir)) {
        (Ok(stdout), Ok(stderr)) => (stdout, stderr),
        (Err(reason), _) | (_, Err(reason)) => return complain(Exit::Local, &reason),
    };
    let names = shown.iter().zip(&common.entries).map(|(shown, entry)| (shown.as_str(), entry.host.as_str()));
    let (terminal, colour) = (io::stdout().is_terminal(), paints_stdout());
    let report = Report::new(common.show, terminal, colour, names, io::stdout().lock(), io::stderr());
    let mut telling = command(Fanout { hosts, parallel: common.parallel, limit: common.limit, interrupt }, request);
    let mut signals = Signals::new();
    let mut listener = Listener {
        report,
        stdout,
        stderr,
        quiet: common.quiet,
        endings: Vec::new(),
        trouble: None,
        interrupted: false,
    };
    loop {
        let told = tokio::select! {
            told = telling.next() => told,
            () = signals.next() => {
                if listener.interrupted {
                    break;
                }
                listener.interrupted = true;
                switch.send_replace(true);
                continue;
            }
        };
        match told {
            Some(told) => listener.listen(told, &switch),
            None => break,
        }
    }
    listener.exit(status)
}

struct Listener<'a, O, E> {
    report: Report<'a, O, E>,
    stdout: Option<OutputFiles>,
    stderr: Option<OutputFiles>,
    /// Whether it is not told why ssh failed.
    quiet: bool,
    endings: Vec<Ending>,
    /// What went wrong first on this machine.
    trouble: Option<Trouble>,
    interrupted: bool,
}

enum Trouble {
    Show(io::Error),
    File(String),
}

impl<O: Write, E: Write> Listener<'_, O, E> {
    fn listen(&mut self, told: Told, switch: &watch::Sender<bool>) {
        let heard = match told {
            Told::Output { host, stream, bytes } => self.wrote(host, stream, &bytes),
            Told::Ended(ended) => {
                let (ending, words) = Ending::of(&ended);
                let said = words
                    .filter(|_| !self.quiet)
                    .map_or(Ok(()), |words| self.wrote(ended.host, Stream::Stderr, words.as_bytes()));
                for files in [&mut self.stdout, &mut self.stderr].into_iter().flatten() {
                    files.close(ended.host);
                }
                let time = ZonedDateTime::now().strftime("%H:%M:%S").to_string();
                let told = self.report.ended(ended.host, &ending, &time).map_err(Trouble::Show);
                self.endings.push(ending);
                said.and(told)
            }
        };
        if let Err(trouble) = heard {
            if matches!(trouble, Trouble::Show(_)) {
                // Nobody reads any more: nothing new is begun, and what runs is ended.
                switch.send_replace(true);
            }
            self.trouble.get_or_insert(trouble);
        }
    }

    fn wrote(&mut self, host: usize, stream: Stream, bytes: &[u8]) -> Result<(), Trouble> {
        let files = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let kept = files.as_mut().map_or(Ok(()), |files| files.write(host, bytes)).map_err(Trouble::File);
        self.report.wrote(host, stream, bytes).map_err(Trouble::Show).and(kept)
    }

    fn exit(self, status: Status) -> Exit {
        let trouble = match self.trouble {
            Some(Trouble::Show(error)) => return Exit::written(&Err(error)),
            Some(Trouble::File(reason)) => Some(complain(Exit::Local, &reason)),
            None => None,
        };
        let interrupted = self.interrupted.then_some(FailureKind::Deadline);
        let outcome = Outcome::of(self.endings.iter().filter_map(|ending| kind(ending, status)).chain(interrupted));
        match (Exit::Run(outcome), trouble) {
            (Exit::SUCCESS, Some(trouble)) => trouble,
            (exit, _) => exit,
        }
    }
}

fn kind(ending: &Ending, status: Status) -> Option<FailureKind> {
    match ending {
        Ending::Exited(0) => None,
        Ending::Exited(255) => Some(FailureKind::Unreachable),
        Ending::Exited(_) if status == Status::Copy => Some(FailureKind::Unreachable),
        Ending::Exited(_) => Some(FailureKind::Step),
        Ending::TimedOut | Ending::Interrupted { .. } => Some(FailureKind::Deadline),
        Ending::Local(_) => Some(FailureKind::Local),
    }
}
