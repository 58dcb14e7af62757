use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::by_hand::{ByHand, Work};
use super::common_args::{CommonArgs, Show};
use super::drive::{Status, drive};
use super::reach;
use super::ssh_words::Of;
use crate::cli::Exit;
use crate::cli::exit::complain;
use crate::host::{self, Connect, Host, HostError, Output, Request};
use crate::transfer::scp;

/// Copy files to many hosts, as pscp does
///
/// The last path is the hosts', the others are of this machine. What is on a host is overwritten in place, as scp does.
#[derive(Debug, clap::Args)]
#[command(override_usage = "kfleet pscp [OPTIONS] LOCAL [...] REMOTE", after_long_help = super::help::PSCP)]
#[command(version = super::help::VERSION)]
pub(in crate::cli) struct PscpArgs {
    #[command(flatten)]
    common: CommonArgs,

    /// Copy directories, too
    #[arg(short, long)]
    recursive: bool,

    /// Copy from the hosts: what is left of the paths is the hosts', and the last is a directory here with one for each host
    #[arg(long)]
    download: bool,

    /// What to copy, and to where
    #[arg(trailing_var_arg = true, value_name = "PATH")]
    paths: Vec<String>,
}

pub(in crate::cli) async fn run(args: PscpArgs) -> Exit {
    let Some((last, [first, others @ ..])) = args.paths.split_last() else {
        return complain(Exit::Usage, "two paths at least are needed, one of them the hosts'");
    };
    let mut common = match args.common.resolve(Show::default(), 0) {
        Ok(common) => common,
        Err(exit) => return exit,
    };
    let hosts = match reach::hosts(&mut common, Of::Scp) {
        Ok(hosts) => hosts,
        Err(exit) => return exit,
    };
    let recursive = args.recursive || common.environment.recursive;
    let paths = || std::iter::once(first).chain(others);
    let mut working: Vec<Arc<dyn Connect>> = Vec::new();
    for (entry, host) in common.entries.iter().zip(hosts) {
        let work: Arc<dyn Work> = if args.download {
            let into = Path::new(last).join(&entry.host);
            if let Err(error) = std::fs::create_dir_all(&into) {
                return complain(Exit::Local, &format!("cannot make {}: {error}", into.display()));
            }
            Arc::new(Get { patterns: paths().cloned().collect(), into, recursive })
        } else {
            Arc::new(Put { sources: paths().map(PathBuf::from).collect(), target: last.clone(), recursive })
        };
        working.push(Arc::new(ByHand { host, work }));
    }
    drive(&common, working, Status::Copy, |_| Request::line("")).await
}

struct Put {
    sources: Vec<PathBuf>,
    target: String,
    recursive: bool,
}

#[async_trait]
impl Work for Put {
    async fn run(&self, host: &dyn Host, output: &mut dyn Output) -> Result<host::Exit, HostError> {
        scp::put(host, &self.sources, &self.target, self.recursive, output).await
    }
}

/// Copies from a host.
pub(super) struct Get {
    pub(super) patterns: Vec<String>,
    pub(super) into: PathBuf,
    pub(super) recursive: bool,
}

#[async_trait]
impl Work for Get {
    async fn run(&self, host: &dyn Host, output: &mut dyn Output) -> Result<host::Exit, HostError> {
        let mut worst = host::Exit::Status(0);
        for pattern in &self.patterns {
            let exit = scp::get(host, pattern, &self.into, self.recursive, output).await?;
            if !exit.success() {
                worst = exit;
            }
        }
        Ok(worst)
    }
}
