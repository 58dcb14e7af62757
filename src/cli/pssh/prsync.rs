use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::askpass::askpass;
use super::common_args::{Common, CommonArgs, Show};
use super::drive::{Status, drive};
use super::entry::Entry;
use super::ssh_askpass::SshAskpass;
use crate::base::{ProcessGroup, local_command, quote};
use crate::cli::Exit;
use crate::cli::exit::complain;
use crate::host::{self, Connect, Host, HostError, Output, Request, Stream};

/// Synchronise files with many hosts, as prsync does
///
/// Runs this machine's rsync for each host, over its ssh: -O and -S are ssh's options, -x and -X are rsync's.
#[derive(Debug, clap::Args)]
#[command(override_usage = "kfleet prsync [OPTIONS] LOCAL [...] REMOTE", after_long_help = super::help::PRSYNC)]
#[command(version = super::help::VERSION)]
pub(in crate::cli) struct PrsyncArgs {
    #[command(flatten)]
    common: CommonArgs,

    /// Copy directories, too
    #[arg(short, long)]
    recursive: bool,

    /// Keep owners, modes, times and links: rsync's -a
    #[arg(short, long)]
    archive: bool,

    /// Compress on the way: rsync's -z
    #[arg(short = 'z', long)]
    compress: bool,

    /// More arguments for ssh
    #[arg(short = 'S', long, value_name = "ARGS", allow_hyphen_values = true)]
    ssh_args: Option<String>,

    /// Copy from the hosts: the first path is the hosts', and the last is a directory here with one for each host
    #[arg(short, long)]
    download: bool,

    /// Show what rsync says of each host when it ends
    #[arg(short, long)]
    inline: bool,

    /// What to copy, and to where
    #[arg(trailing_var_arg = true, value_name = "PATH")]
    paths: Vec<String>,
}

pub(in crate::cli) async fn run(mut args: PrsyncArgs) -> Exit {
    let paths = std::mem::take(&mut args.paths);
    let Some((last, first @ [_, ..])) = paths.split_last() else {
        return complain(Exit::Usage, "two paths at least are needed, one of them the hosts'");
    };
    if args.download && first.len() != 1 {
        return complain(Exit::Local, "can only download one target at a time");
    }
    let options = Options {
        recursive: args.recursive,
        archive: args.archive,
        compress: args.compress,
        ssh_args: args.ssh_args,
        download: args.download,
    };
    let common = match args.common.resolve(Show { inline: args.inline, ..Show::default() }, 0) {
        Ok(common) => common,
        Err(exit) => return exit,
    };
    let askpass = match common.askpass.then(asked).transpose() {
        Ok(askpass) => askpass.map(Arc::new),
        Err(exit) => return exit,
    };
    let mut hosts: Vec<Arc<dyn Connect>> = Vec::new();
    for entry in &common.entries {
        match arguments(&common, &options, entry, first, last) {
            Ok(arguments) => {
                let askpass = askpass.clone();
                hosts.push(Arc::new(Rsync { name: entry.host.clone(), arguments, askpass }));
            }
            Err(reason) => return complain(Exit::Local, &reason),
        }
    }
    drive(&common, hosts, Status::Copy, |_| Request::line("")).await
}

/// Asks for the password that every ssh is then given. What is wrong has been told on stderr.
fn asked() -> Result<SshAskpass, Exit> {
    let wrong = |error| complain(Exit::Local, &format!("-A: no ssh can be handed the password: {error}"));
    SshAskpass::new(askpass()?).map_err(wrong)
}

struct Options {
    recursive: bool,
    archive: bool,
    compress: bool,
    ssh_args: Option<String>,
    download: bool,
}

/// rsync's arguments for one host; where it downloads, the directory is made.
fn arguments(
    common: &Common,
    options: &Options,
    entry: &Entry,
    first: &[String],
    last: &str,
) -> Result<Vec<String>, String> {
    let mut ssh = "ssh".to_owned();
    for option in &common.options {
        ssh += &format!(" -o {}", quote(option));
    }
    if let Some(port) = &entry.port {
        ssh += &format!(" -p {}", quote(port));
    }
    if let Some(more) = &options.ssh_args {
        ssh += &format!(" {more}");
    }
    // Nobody could answer, of so many at once; the one password is tried once.
    ssh += if common.askpass { " -o NumberOfPasswordPrompts=1" } else { " -o BatchMode=yes" };
    let mut arguments = vec!["-e".to_owned(), ssh];
    let switches = [
        ("-v", common.verbose),
        ("-r", options.recursive || common.environment.recursive),
        ("-a", options.archive || common.environment.archive),
        ("-z", options.compress || common.environment.compress),
    ];
    arguments.extend(switches.iter().filter(|(_, on)| *on).map(|(switch, _)| (*switch).to_owned()));
    arguments.extend(common.extra.iter().cloned());
    let user = entry.user.as_ref().or(common.user.as_ref()).map(|user| format!("{user}@")).unwrap_or_default();
    let host = if entry.host.contains(':') { format!("[{}]", entry.host) } else { entry.host.clone() };
    let remote = |path: &str| format!("{user}{host}:{path}");
    if options.download {
        let into = format!("{last}/{}", entry.host);
        std::fs::create_dir_all(&into).map_err(|error| format!("cannot make {into}: {error}"))?;
        arguments.extend(first.iter().map(|path| remote(path)));
        arguments.push(into);
    } else {
        arguments.extend(first.iter().cloned());
        arguments.push(remote(last));
    }
    Ok(arguments)
}

/// A host that is connected to by rsync itself.
#[derive(Clone)]
struct Rsync {
    name: String,
    arguments: Vec<String>,
    askpass: Option<Arc<SshAskpass>>,
}

#[async_trait]
impl Connect for Rsync {
    fn name(&self) -> &str {
        &self.name
    }

    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Host for Rsync {
    fn name(&self) -> &str {
        &self.name
    }

    async fn exec(&self, _request: Request, output: &mut dyn Output) -> Result<host::Exit, HostError> {
        let lost = |error: std::io::Error| HostError::Lost { reason: format!("rsync cannot be run: {error}") };
        let mut rsync = local_command("rsync");
        rsync.args(&self.arguments);
        if let Some(askpass) = &self.askpass {
            rsync.envs(askpass.environment().map_err(lost)?);
        }
        rsync.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // In a group of its own, with its ssh, it does not get the terminal's Ctrl-C, which is kfleet's to act on.
        let mut group = ProcessGroup::spawn(rsync).map_err(lost)?;
        let child = &mut group.leader;
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
        let (mut one, mut other) = (vec![0; 16 << 10], vec![0; 16 << 10]);
        while stdout.is_some() || stderr.is_some() {
            tokio::select! {
                read = read(&mut stdout, &mut one) => match read {
                    0 => stdout = None,
                    read => output.take(Stream::Stdout, &one[..read]),
                },
                read = read(&mut stderr, &mut other) => match read {
                    0 => stderr = None,
                    read => output.take(Stream::Stderr, &other[..read]),
                },
            }
        }
        let status = child.wait().await.map_err(lost)?;
        let code = status.code().and_then(|code| u32::try_from(code).ok());
        // What a signal ended has no status; the shell's own number for it says which.
        Ok(host::Exit::Status(code.unwrap_or(128)))
    }

    async fn close(&self) {}
}

/// How much was read; nothing at the end, and no end where there is no stream.
async fn read(stream: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    match stream {
        Some(stream) => stream.read(buffer).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}
