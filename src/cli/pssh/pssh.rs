use std::io::{self, Read};

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::common_args::{CommonArgs, Show};
use super::drive::{Status, drive};
use super::reach;
use super::ssh_words::Of;
use crate::cli::Exit;
use crate::cli::exit::complain;
use crate::host::{Input, Request};

/// Run a command on many hosts, as pssh does
///
/// The command is what is left of the command line, from its first word that is no option: its words are joined by blanks and
/// go to each host's login shell. Options before it are pssh's own.
#[derive(Debug, clap::Args)]
#[command(override_usage = "kfleet pssh [OPTIONS] COMMAND [...]", after_long_help = super::help::PSSH)]
#[command(version = super::help::VERSION)]
pub(in crate::cli) struct PsshArgs {
    #[command(flatten)]
    common: CommonArgs,

    /// Show each host's stdout and stderr when it ends
    #[arg(short, long)]
    inline: bool,

    /// Show each host's stdout when it ends
    #[arg(long)]
    inline_stdout: bool,

    /// Send stdin to every host; without a command it is the login shell's
    #[arg(short = 'I', long)]
    send_input: bool,

    /// Show output as it comes, each line behind its host
    #[arg(short = 'P', long)]
    print: bool,

    /// With --inline or --inline-stdout: no line for each host
    #[arg(long)]
    no_headers: bool,

    /// What to run
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// How long a host may take where nobody says it, in seconds; pnuke's, too.
pub(super) const SECONDS: i64 = 60;

pub(in crate::cli) async fn run(args: PsshArgs) -> Exit {
    if args.command.is_empty() && !args.send_input {
        return complain(Exit::Usage, "no command was given");
    }
    let show =
        Show { inline: args.inline, inline_stdout: args.inline_stdout, print: args.print, no_headers: args.no_headers };
    let mut common = match args.common.resolve(show, SECONDS) {
        Ok(common) => common,
        Err(exit) => return exit,
    };
    let hosts = match reach::hosts(&mut common, Of::Ssh) {
        Ok(hosts) => hosts,
        Err(exit) => return exit,
    };
    let mut sent = Vec::new();
    if args.send_input
        && let Err(error) = io::stdin().lock().read_to_end(&mut sent)
    {
        return complain(Exit::Local, &format!("cannot read stdin: {error}"));
    }
    let (line, sent) = (args.command.join(" "), Bytes::from(sent));
    let names: Vec<String> = common.entries.iter().map(|entry| entry.host.clone()).collect();
    let request = move |host: usize| {
        let name = names.get(host).cloned().unwrap_or_default();
        let environment = [("NODENUM", host.to_string()), ("NUMNODES", names.len().to_string()), ("HOST", name)];
        let environment = environment.map(|(variable, value)| (format!("PSSH_{variable}"), value)).into();
        Request { environment, input: input(&sent), ..Request::line(&line) }
    };
    drive(&common, hosts, Status::Command, request).await
}

/// `sent` in pieces.
fn input(sent: &Bytes) -> Option<Input> {
    const PIECE: usize = 64 << 10;
    if sent.is_empty() {
        return None;
    }
    let sent = sent.clone();
    let pieces = (0..sent.len()).step_by(PIECE).map(move |at| sent.slice(at..sent.len().min(at + PIECE)));
    Some(stream::iter(pieces).boxed())
}
