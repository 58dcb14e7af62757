use std::time::Duration;

use secrecy::SecretString;

use crate::cluster::JoinSpec;

/// One thing to do on a host, as data; the engine alone interprets it.
#[derive(Debug, Clone)]
pub enum Action {
    /// Put a file in place, whole or not at all.
    Write(WriteFile),
    /// Run a script as root.
    Run(RunScript),
    /// Run a script as root over a connection made anew for it: what was done before it has not shut kfleet out.
    ComeBack(RunScript),
    /// Run a script whose output is a value for later, never shown.
    Capture(Yields, RunScript),
    /// Start a job that outlives the connection, and follow it to its end.
    Detach(Box<Detached>),
}

impl Action {
    /// Whether it is made of the join grant, which is known after init or after a token was made.
    #[must_use]
    pub fn needs_grant(&self) -> bool {
        match self {
            Self::Write(file) => matches!(file.contents, Contents::JoinConfiguration(_)),
            Self::Detach(job) => job.files.iter().any(|(_, it)| matches!(it, Contents::JoinConfiguration(_))),
            Self::Run(_) | Self::ComeBack(_) | Self::Capture(..) => false,
        }
    }

    /// What its output holds, if anything.
    #[must_use]
    pub fn yields(&self) -> Option<Yields> {
        match self {
            Self::Capture(yields, _) => Some(*yields),
            Self::Detach(job) => job.yields,
            Self::Write(_) | Self::Run(_) | Self::ComeBack(_) => None,
        }
    }
}

/// What an action's output holds; a plan prints it as "known after".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yields {
    /// A `kubeadm join` command, and the cluster's CA certificate (PEM) to hold it against.
    JoinGrant,
    /// The cluster's admin kubeconfig.
    AdminKubeconfig,
}

/// A file to put in place.
#[derive(Debug, Clone)]
pub struct WriteFile {
    /// Absolute. Directories above it are made where they are missing.
    pub path: String,
    /// All of it.
    pub contents: Contents,
    /// Permission bits; of a file that is there already they are kept, as are owner and SELinux label, when this is
    /// `None`. A new file without them is 0644.
    pub mode: Option<u32>,
    /// What the file must still hold for it to be replaced: another's change since the probe is never overwritten.
    /// `None` replaces whatever is there.
    pub replaces: Option<String>,
}

/// What a file will hold.
#[derive(Debug, Clone)]
pub enum Contents {
    /// Known, and fit for anybody's eyes.
    Text(String),
    /// Known, and for nobody's.
    Secret(SecretString),
    /// The JoinConfiguration made of this and of the join grant: known after init.
    JoinConfiguration(JoinSpec),
}

/// A script to run as root by `/bin/sh` with `set -eu`, its stdin empty.
#[derive(Debug, Clone)]
pub struct RunScript {
    /// What a report calls it: the command that a person would type.
    pub command: String,
    /// The script. What it reads from the plan is quoted already.
    pub script: String,
    /// The longest that it may take.
    pub deadline: Duration,
}

/// A job that must not die with the connection: a transient systemd unit, its log 0600, found again by a rerun.
#[derive(Debug, Clone)]
pub struct Detached {
    /// Names the unit (`kfleet-init`) and its directory (/var/lib/kfleet/jobs/init).
    pub name: &'static str,
    /// What a report calls it.
    pub command: String,
    /// Files for it, 0600, in its directory by these names; gone when it ends, however it ends.
    pub files: Vec<(&'static str, Contents)>,
    /// Files with secrets that it may leave elsewhere when it is cut; gone when it ends, too.
    pub leaves: &'static [&'static str],
    /// Runs in its directory by `/bin/sh` with `set -eu`.
    pub script: String,
    /// The longest that it is followed; it is not ended then.
    pub deadline: Duration,
    /// Whether one that runs already is followed instead of starting another.
    pub follow_only: bool,
    /// What its output holds, if anything.
    pub yields: Option<Yields>,
}

impl Detached {
    /// A job that is there already, to be followed to its end.
    #[must_use]
    pub fn followed(name: &'static str, command: &str, deadline: Duration) -> Self {
        Self {
            name,
            command: command.to_owned(),
            files: Vec::new(),
            leaves: &[],
            script: String::new(),
            deadline,
            follow_only: true,
            yields: None,
        }
    }
}
