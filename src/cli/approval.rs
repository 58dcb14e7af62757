use std::io::{self, IsTerminal};
use std::sync::Arc;

use async_trait::async_trait;
use rustix::termios::{QueueSelector, tcflush};

use crate::engine::{Answers, Approval};
use crate::ui::Look;

use super::Exit;
use super::exit::complain;

/// For commands that change hosts.
#[derive(Debug, clap::Args)]
pub(super) struct YesArg {
    /// Do not ask before anything is changed; without a terminal, and with --json, nobody is asked anyway
    #[arg(short, long)]
    yes: bool,
}

/// For commands that destroy what cannot be had back.
#[derive(Debug, clap::Args)]
pub(super) struct ConfirmArg {
    /// Go on without asking, if this is the cluster's name; needed without a terminal, and with --json
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

impl ConfirmArg {
    /// Whether a name was given.
    pub(super) fn is_given(&self) -> bool {
        self.confirm.is_some()
    }
}

/// How a command comes by its approval.
pub(super) enum Consent {
    /// It needs none: it changes nothing.
    Needless,
    /// By a yes.
    Yes(YesArg),
    /// By the cluster's name.
    Confirm(ConfirmArg),
}

impl Consent {
    /// What a run on this cluster needs; or, the reason having been told, the exit.
    pub(super) fn approval(&self, cluster: &str, look: Look) -> Result<Approval, Exit> {
        self.on(cluster, !look.json && io::stdin().is_terminal() && io::stderr().is_terminal())
    }

    fn on(&self, cluster: &str, terminal: bool) -> Result<Approval, Exit> {
        let asked = |confirm| Ok(Approval::Asked { confirm, who: Arc::new(Keyboard) });
        match self {
            Self::Needless => Ok(Approval::Given),
            Self::Yes(arg) if arg.yes || !terminal => Ok(Approval::Given),
            Self::Yes(_) => asked(None),
            Self::Confirm(ConfirmArg { confirm: Some(name) }) if name == cluster => Ok(Approval::Given),
            Self::Confirm(ConfirmArg { confirm: Some(name) }) => {
                Err(complain(Exit::Usage, &format!("--confirm names {name}, and the inventory is of {cluster}")))
            }
            Self::Confirm(_) if terminal => asked(Some(cluster.to_owned())),
            Self::Confirm(_) => {
                let what = format!("nothing was done: without a terminal this needs `--confirm {cluster}`");
                Err(complain(Exit::Usage, &what))
            }
        }
    }
}

/// Whoever sits at the terminal.
struct Keyboard;

#[async_trait]
impl Answers for Keyboard {
    fn listen(&self) {
        // A terminal that cannot be flushed has nothing to flush.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }

    async fn line(&self) -> Option<String> {
        // A thread of its own, which nobody waits for after a Ctrl-C.
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|bytes| (bytes > 0).then_some(line))
        });
        read.await.ok()?.ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfirmArg, Consent, YesArg};
    use crate::cli::Exit;
    use crate::engine::Approval;

    /// `given`, `asked`, `asked NAME`, or the exit code.
    fn on(consent: &Consent, terminal: bool) -> String {
        match consent.on("lab", terminal) {
            Ok(Approval::Given) => "given".to_owned(),
            Ok(Approval::Asked { confirm: None, .. }) => "asked".to_owned(),
            Ok(Approval::Asked { confirm: Some(name), .. }) => format!("asked {name}"),
            Err(exit) => exit.code().to_string(),
        }
    }

    #[test]
    fn who_is_asked_hangs_on_the_command_the_flag_and_the_terminal() {
        let yes = |yes| Consent::Yes(YesArg { yes });
        let confirm = |name: Option<&str>| Consent::Confirm(ConfirmArg { confirm: name.map(str::to_owned) });
        for (consent, at_a_terminal, without) in [
            (Consent::Needless, "given", "given"),
            (yes(false), "asked", "given"),
            (yes(true), "given", "given"),
            (confirm(None), "asked lab", "2"),
            (confirm(Some("lab")), "given", "given"),
            (confirm(Some("prod")), "2", "2"),
        ] {
            assert_eq!([on(&consent, true), on(&consent, false)], [at_a_terminal, without]);
        }
        assert_eq!(Exit::Usage.code(), 2);
    }
}
