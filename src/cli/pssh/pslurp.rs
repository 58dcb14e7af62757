use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::by_hand::ByHand;
use super::common_args::{CommonArgs, Show};
use super::drive::{Status, drive};
use super::entry::Entry;
use super::pscp::Get;
use super::reach;
use super::ssh_words::Of;
use crate::cli::Exit;
use crate::cli::exit::complain;
use crate::host::{Connect, Request};

/// Copy a file from many hosts, as pslurp does
///
/// It becomes LOCALDIR/HOST/LOCAL, or LOCALDIR/HOST:PORT/LOCAL where the host's entry has a port.
#[derive(Debug, clap::Args)]
#[command(override_usage = "kfleet pslurp [OPTIONS] REMOTE LOCAL", after_long_help = super::help::PSLURP)]
#[command(version = super::help::VERSION)]
pub(in crate::cli) struct PslurpArgs {
    #[command(flatten)]
    common: CommonArgs,

    /// Copy directories, too
    #[arg(short, long)]
    recursive: bool,

    /// Where the hosts' directories are made [default: this directory]
    #[arg(short = 'L', long, value_name = "LOCALDIR", allow_hyphen_values = true)]
    localdir: Option<OsString>,

    /// What to copy, and what to call it here
    #[arg(trailing_var_arg = true, value_name = "PATH")]
    paths: Vec<String>,
}

pub(in crate::cli) async fn run(args: PslurpArgs) -> Exit {
    let [remote, local] = args.paths.as_slice() else {
        return complain(Exit::Usage, "two paths are needed: the hosts', and a name here");
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
    let localdir = args.localdir.as_ref().or(common.environment.localdir.as_ref());
    let mut working: Vec<Arc<dyn Connect>> = Vec::new();
    for (entry, host) in common.entries.iter().zip(hosts) {
        let directory = localdir.map(PathBuf::from).unwrap_or_default().join(directory(entry));
        if let Err(error) = std::fs::create_dir_all(&directory) {
            return complain(Exit::Local, &format!("cannot make {}: {error}", directory.display()));
        }
        let get = Get { patterns: vec![remote.clone()], into: below(&directory, local), recursive };
        working.push(Arc::new(ByHand { host, work: Arc::new(get) }));
    }
    drive(&common, working, Status::Command, |_| Request::line("")).await
}

fn directory(entry: &Entry) -> String {
    match &entry.port {
        Some(port) => format!("{}:{port}", entry.host),
        None => entry.host.clone(),
    }
}

/// Below it even where `local` begins with a slash.
fn below(directory: &Path, local: &str) -> PathBuf {
    let mut path = OsString::from(directory);
    path.push("/");
    path.push(local);
    path.into()
}
