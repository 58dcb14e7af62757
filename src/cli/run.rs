use std::ffi::OsString;
use std::path::PathBuf;

use crate::events::{FailureKind, Outcome};
use crate::fanout::Ended;
use crate::host::User;
use crate::ui::command::{Files, Shape};

use super::errand::Errand;
use super::exit::{complain, statuses};
use super::fanout_args::FanoutArgs;
use super::fanout_run::{Came, FanoutRun};
use super::reader::Reader;
use super::remote_script::RemoteScript;
use super::signals::Signals;
use super::sudo_password::SudoPasswordArg;
use super::surfaces::manner;
use super::targets::{TargetArgs, Targets};
use super::{Exit, stdin};

/// Run a command or a script on many hosts at once
///
/// What the hosts write comes line by line as they write it, `HOST: ` before each line: stdout on stdout, stderr on stderr.
/// Who failed and why comes last, on stderr.
///
/// The command is run by the login shell of the user that logs in, as `ssh HOST COMMAND` does; its words are put together with
/// one blank between them. Options end where it begins; `--` may stand before it.
///
/// What comes on stdin goes to every host, each at its own pace, unless it is a terminal or -n is given.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER, override_usage = USAGE)]
pub(super) struct RunArgs {
    #[command(flatten)]
    targets: TargetArgs,

    #[command(flatten)]
    fanout: FanoutArgs,

    /// Run it as root, by sudo where another user logs in; it is then run by /bin/sh
    #[arg(long, help_heading = "Command")]
    sudo: bool,

    #[command(flatten)]
    sudo_password: SudoPasswordArg,

    /// Run this file of this machine on every host, by the interpreter that its first line names; the words behind it are its
    /// arguments. It lies there in a directory of its own that is removed when it ends
    #[arg(long, value_name = "FILE", help_heading = "Command")]
    script: Option<PathBuf>,

    /// Give the hosts nothing to read on stdin, as </dev/null does
    #[arg(short = 'n', long, help_heading = "Command")]
    no_stdin: bool,

    #[command(flatten)]
    shape: ShapeArgs,

    /// Write what hosts write to stdout to DIR/HOST, byte for byte, in place of showing it
    #[arg(long, value_name = "DIR", help_heading = "Output", conflicts_with_all = ["gather", "diff"])]
    out: Option<PathBuf>,

    /// The same for stderr
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    err: Option<PathBuf>,

    /// What to run on the hosts
    #[arg(
        value_name = "COMMAND",
        help_heading = "Command",
        required_unless_present = "script",
        trailing_var_arg = true
    )]
    command: Vec<OsString>,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Output")]
struct ShapeArgs {
    /// At the end, equal outputs once, under the hosts that wrote them, as in `node[3-5,9] (4)`
    #[arg(short = 'b', long)]
    gather: bool,

    /// At the end, only how outputs differ from that of most hosts
    #[arg(long)]
    diff: bool,

    /// Tell programs: one JSON object a line on stdout
    #[arg(long)]
    json: bool,

    /// No `HOST: ` before the lines; a single host's bytes then stay exactly as they are
    #[arg(short = 'N', long)]
    no_prefix: bool,
}

const USAGE: &str =
    "kfleet run [OPTIONS] [--] <COMMAND>...\n       kfleet run [OPTIONS] --script <FILE> [--] [ARGUMENTS]...";

const AFTER: &str = concat!(
    "Examples:
  kfleet run uptime                              on the hosts of ./inventory.toml
  kfleet run -H 'root@node[1-9]' -b uname -r     equal answers once
  kfleet run --hosts '@worker!node3' --sudo -- systemctl restart kubelet
  kfleet run --failed -t 30 -- true              once more where it failed, 30 s each
  kfleet run --script setup.py -- --verbose      its argument is --verbose
  kfleet run 'cat > /etc/motd' < motd            the file goes to every host
  kfleet run -N -H db1 'tar c /etc' > etc.tar    byte for byte
  kfleet run --json df -P | jq -r 'select(.event == \"output\") | .line'

JSON, an object a line:
  {\"event\": \"output\", \"host\", \"stream\", \"line\", \"partial\"}
      a line without its end; `line_base64` in place of `line` where it is not UTF-8. What is
      partial is not ended, and may go on in the next object of this host and stream
  {\"event\": \"host-ended\", \"host\", \"status\", \"signal\", \"failure\", \"took_s\"}
      one of status, signal and failure is not null
  {\"event\": \"finished\", \"outcome\", \"failure_kind\", \"hosts\", \"failed\", \"took_s\"}

Ctrl-C ends what runs on the hosts and says where that is; a second one leaves at once. A reader
that has read enough, as `| head`, ends the run, too, and that is no failure.

",
    statuses!()
);

pub(super) async fn run(args: RunArgs) -> Exit {
    match args.run().await {
        Ok(exit) | Err(exit) => exit,
    }
}

impl RunArgs {
    async fn run(self) -> Result<Exit, Exit> {
        let errand = self.errand().map_err(|reason| complain(Exit::Usage, &reason))?;
        let password = self.sudo.then(|| self.sudo_password.get()).transpose()?;
        let Targets { names, hosts, last_failed, .. } = self.targets.resolve(self.sudo, password.flatten().as_ref())?;
        let files = Files::create(&names, self.out.as_deref(), self.err.as_deref());
        let files = files.map_err(|reason| complain(Exit::Local, &reason))?;
        let feed = if self.no_stdin { None } else { stdin::for_hosts()? };
        let (parallel, limit) = (self.fanout.parallel(), self.fanout.limit());
        let manner = manner(self.shape.shape());
        let run = FanoutRun { names: &names, hosts, parallel, limit, manner, files, last_failed: &last_failed };
        Ok(match run.drive(errand, feed, &mut Signals::new(), &Reader::watch()).await {
            Came::ToAnEnd(ends) => Exit::Run(Outcome::of(ends.iter().filter_map(Ended::failure))),
            Came::Unread => Exit::SUCCESS,
            Came::ToNothing(exit) => exit,
            Came::Left(_) => Exit::Run(Outcome::Failed(FailureKind::Deadline)),
        })
    }

    fn errand(&self) -> Result<Errand, String> {
        let words = self.command.iter().map(|word| word.to_str().map(str::to_owned));
        let words = words.collect::<Option<Vec<_>>>().ok_or("the command is not UTF-8")?;
        Ok(match (&self.script, self.sudo) {
            (Some(file), false) => Errand::Script(RemoteScript::read(file, &words)?, User::Login),
            (Some(file), true) => Errand::Script(RemoteScript::read(file, &words)?, User::Root),
            (None, false) => Errand::Line(words.join(" ")),
            (None, true) => Errand::RootLine(words.join(" ")),
        })
    }
}

impl ShapeArgs {
    fn shape(&self) -> Shape {
        match self {
            Self { gather: true, .. } => Shape::Gathered,
            Self { diff: true, .. } => Shape::Differences,
            Self { json: true, .. } => Shape::Json,
            Self { no_prefix, .. } => Shape::Lines { prefix: !no_prefix },
        }
    }
}
