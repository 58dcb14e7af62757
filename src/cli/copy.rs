use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::host::{Host, User};
use crate::transfer::{Copying, Landing, Parcel, Progress, copy};

use super::Exit;
use super::exit::{complain, note, statuses};
use super::fanout_args::FanoutArgs;
use super::look_args::LookArgs;
use super::remote_path::remote_path;
use super::sudo_password::SudoPasswordArg;
use super::targets::TargetArgs;
use super::transfer_run::TransferRun;

/// Copy files and trees to many hosts at once
///
/// Modes, times and symbolic links are kept, and what is equal already is left alone: each host says by SHA-256 what it has, and
/// the files are read here for all hosts together. What comes is put aside on the host, checked, and only then put in place, each file by one
/// rename: a file there is the old one or the new one, whole, whatever happens. What is cut short leaves nothing behind.
///
/// A file goes into DEST where that is a directory, and else becomes DEST. A tree goes into DEST, also where DEST is yet to
/// be made; written `SRC/`, what is in it does. Several sources go into DEST. So the same command means the same every time.
/// A path that does not begin with `/` is one below the home directory of the user that logs in, which `~` stands for, too.
///
/// A file that is replaced keeps its owner, as far as the user that writes may give it away; a new one is that user's.
/// Symbolic links in the place of a file are replaced, not followed; what is a directory there and a file here, or the other way
/// round, is an error. Devices, pipes and sockets in a tree are left out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER)]
pub(super) struct CopyArgs {
    /// Files and directories of this machine; `-` is stdin
    #[arg(value_name = "SRC", required = true)]
    sources: Vec<PathBuf>,

    /// Where to, on the hosts
    #[arg(value_name = "DEST", required = true)]
    destination: String,

    #[command(flatten)]
    targets: TargetArgs,

    #[command(flatten)]
    fanout: FanoutArgs,

    /// Write as root, by sudo where another user logs in
    #[arg(long, help_heading = "Copying")]
    sudo: bool,

    #[command(flatten)]
    sudo_password: SudoPasswordArg,

    /// Give what is copied to this user and group, as `USER`, `USER:GROUP` or `:GROUP`
    #[arg(long, value_name = "OWNER", value_parser = owner, help_heading = "Copying")]
    owner: Option<String>,

    /// Give files this mode in place of their own, as `0640`; directories keep theirs
    #[arg(long, value_name = "MODE", value_parser = mode, help_heading = "Copying")]
    mode: Option<u32>,

    /// Remove from a tree on the hosts what is not in it here
    #[arg(long, help_heading = "Copying")]
    delete: bool,

    /// Show what would be done, and do nothing
    #[arg(short = 'n', long, help_heading = "Copying")]
    dry_run: bool,

    #[command(flatten)]
    look: LookArgs,
}

const AFTER: &str = concat!(
    "Examples:
  kfleet copy motd /etc/motd --sudo               on the hosts of ./inventory.toml
  kfleet copy -H 'root@node[1-9]' *.conf /etc/app/
  kfleet copy site /srv/www                       becomes /srv/www/site
  kfleet copy site/ /srv/www --delete             /srv/www has what site has, and nothing else
  kfleet copy --sudo --owner root:app --mode 640 secrets.env /etc/app/
  kfleet copy -n site/ /srv/www                   what that would change
  tar c conf | kfleet copy - /var/tmp/conf.tar

--delete touches nothing outside of the trees that are copied, and clears no directory that others share, as /etc or a home.

The hosts need /bin/sh, stat, sha256sum, tar and xargs, as coreutils, tar and findutils have them, or busybox alone.

",
    statuses!()
);

pub(super) async fn run(args: CopyArgs) -> Exit {
    match args.run().await {
        Ok(exit) | Err(exit) => exit,
    }
}

impl CopyArgs {
    async fn run(self) -> Result<Exit, Exit> {
        self.check().map_err(|reason| complain(Exit::Usage, &reason))?;
        let destination = remote_path(&self.destination).map_err(|reason| complain(Exit::Usage, &reason))?;
        let password = self.sudo.then(|| self.sudo_password.get()).transpose()?;
        let targets = self.targets.resolve(self.sudo, password.flatten().as_ref())?;
        let parcel = self.parcel().map_err(|reason| complain(Exit::Local, &reason))?;
        if !parcel.left_out.is_empty() {
            note(&parcel.left_out.to_string());
        }
        if self.delete && !parcel.has_tree() {
            return Err(complain(Exit::Usage, "--delete is for trees, and there is no directory among the sources"));
        }
        let copying = Copying {
            destination: destination.into_bytes(),
            landing: Landing::Inside,
            owner: self.owner.clone(),
            mode: self.mode,
            delete: self.delete,
            user: if self.sudo { User::Root } else { User::Login },
            dry: self.dry_run,
        };
        let (parcel, copying) = (Arc::new(parcel), Arc::new(copying));
        let work = move |_, host: Arc<dyn Host>, progress: Progress| {
            let (parcel, copying) = (Arc::clone(&parcel), Arc::clone(&copying));
            async move { copy(&*host, &parcel, &copying, &progress).await }
        };
        let (fanout, look) = (&self.fanout, self.look.look());
        Ok(TransferRun { command: "copy", targets, fanout, look, dry: self.dry_run }.drive(work).await)
    }

    fn check(&self) -> Result<(), String> {
        if self.destination.is_empty() {
            return Err("there is no destination: the last argument is empty".to_owned());
        }
        if !self.is_stdin() {
            return match self.sources.iter().any(|source| source == Path::new("-")) {
                true => Err("stdin is one file, and goes alone: `-` cannot be used with other sources".to_owned()),
                false => Ok(()),
            };
        }
        if self.destination.ends_with('/') {
            return Err("stdin has no name: say the whole path that it becomes".to_owned());
        }
        if io::stdin().is_terminal() {
            return Err("stdin is a terminal: there is nothing to copy".to_owned());
        }
        Ok(())
    }

    fn is_stdin(&self) -> bool {
        matches!(self.sources.as_slice(), [only] if only == Path::new("-"))
    }

    fn parcel(&self) -> Result<Parcel, String> {
        let parcel = if self.is_stdin() { Parcel::spooled(io::stdin().lock()) } else { Parcel::read(&self.sources) };
        parcel.map_err(|error| error.to_string())
    }
}

/// What chown takes, without anything that could be more than a name.
fn owner(text: &str) -> Result<String, String> {
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-$@+".contains(&byte));
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    match is_name(user) && is_name(group) && !text.starts_with('-') && !(user.is_empty() && group.is_empty()) {
        true => Ok(text.to_owned()),
        false => Err("USER, USER:GROUP or :GROUP is wanted".to_owned()),
    }
}

fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(mode),
        _ => Err("an octal mode is wanted, as 0640".to_owned()),
    }
}
