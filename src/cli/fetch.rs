use std::path::PathBuf;
use std::sync::Arc;

use crate::host::{Host, User};
use crate::transfer::{Fetching, Progress, fetch};

use super::Exit;
use super::exit::{complain, statuses};
use super::fanout_args::FanoutArgs;
use super::look_args::LookArgs;
use super::remote_path::remote_path;
use super::sudo_password::SudoPasswordArg;
use super::targets::TargetArgs;
use super::transfer_run::TransferRun;

/// Fetch a file or a tree from many hosts at once
///
/// What SRC is on a host comes to DEST/HOST/, a directory of its own for every host: /var/log becomes DEST/HOST/log, and
/// /var/log/ what is in it. Modes, times and symbolic links are kept, but for set-id bits; the owner is whoever runs this. What is
/// equal already is left alone, and what comes is checked by SHA-256 before it is put in place.
///
/// No host is trusted: nothing that it says leads out of its directory. What is here and not there stays. Devices, pipes and
/// sockets in a tree are left out. A file that is written to meanwhile comes as long as it was when the host was asked.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct FetchArgs {
    /// A file or a directory on the hosts
    #[arg(value_name = "SRC")]
    source: String,

    /// The directory here that gets one for each host
    #[arg(value_name = "DEST")]
    destination: PathBuf,

    #[command(flatten)]
    targets: TargetArgs,

    #[command(flatten)]
    fanout: FanoutArgs,

    /// Read as root, by sudo where another user logs in
    #[arg(long, help_heading = "Fetching")]
    sudo: bool,

    #[command(flatten)]
    sudo_password: SudoPasswordArg,

    /// Show what would be done, and do nothing
    #[arg(short = 'n', long, help_heading = "Fetching")]
    dry_run: bool,

    #[command(flatten)]
    look: LookArgs,
}

const AFTER: &str = concat!(
    "Examples:
  kfleet fetch /etc/os-release facts              facts/HOST/os-release
  kfleet fetch --sudo /etc/kubernetes backup      backup/HOST/kubernetes
  kfleet fetch --hosts @worker /var/log/ logs     into logs/HOST itself

The hosts need /bin/sh, stat, sha256sum, tar and xargs, as coreutils, tar and findutils have them, or busybox alone.

",
    statuses!()
);

pub(super) async fn run(args: FetchArgs) -> Exit {
    match args.run().await {
        Ok(exit) | Err(exit) => exit,
    }
}

impl FetchArgs {
    async fn run(self) -> Result<Exit, Exit> {
        if self.source.is_empty() {
            return Err(complain(Exit::Usage, "there is no source: it is empty"));
        }
        let source = remote_path(&self.source).map_err(|reason| complain(Exit::Usage, &reason))?;
        let password = self.sudo.then(|| self.sudo_password.get()).transpose()?;
        let targets = self.targets.resolve(self.sudo, password.flatten().as_ref())?;
        let fetching = Fetching {
            source: source.into_bytes(),
            name: None,
            user: if self.sudo { User::Root } else { User::Login },
            dry: self.dry_run,
        };
        let directories: Arc<[PathBuf]> =
            targets.names.iter().map(|name| self.destination.join(directory(name))).collect();
        let fetching = Arc::new(fetching);
        let work = move |place: usize, host: Arc<dyn Host>, progress: Progress| {
            let (fetching, directories) = (Arc::clone(&fetching), Arc::clone(&directories));
            async move { fetch(&*host, &fetching, &directories[place], &progress).await }
        };
        let (fanout, look) = (&self.fanout, self.look.look());
        Ok(TransferRun { command: "fetch", targets, fanout, look, dry: self.dry_run }.drive(work).await)
    }
}

/// A host's name as one of a directory: one from the command line may be anything.
fn directory(name: &str) -> String {
    match name {
        "." | ".." => format!("_{name}"),
        name => name.replace('/', "_"),
    }
}
