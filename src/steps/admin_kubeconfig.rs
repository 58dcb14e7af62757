use std::time::Duration;

use crate::base::quote;
use crate::facts::Facts;

use super::{Action, Change, Recorded, RunScript, Step};

/// The user that logs in on the control plane can use kubectl there, as the notes set it up by hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdminKubeconfig;

/// Done by the user itself: root must not follow links in a directory that is not its own. Whole or not at all; `ln` takes
/// no place that is taken.
const WRITE: &str = r#"'
umask 077
mkdir -p "$1"
new=$(mktemp "$1/.config.XXXXXX")
trap "rm -f \"\$new\"" EXIT
cat >"$new"
sync -- "$new"
if [ ! -s "$1/config" ] && [ ! -L "$1/config" ]; then rm -f "$1/config"; fi
ln -T "$new" "$1/config"
'"#;

impl AdminKubeconfig {
    /// The kind of its entry in the host's record.
    pub(super) const RECORDED: &str = "kubeconfig";
}

impl Step for AdminKubeconfig {
    fn name(&self) -> &'static str {
        "admin-kubeconfig"
    }

    fn plan(&self, facts: &Facts) -> Change {
        let login = &facts.login;
        if login.home.is_empty() {
            return Change::none("the user that logs in has no home");
        }
        let file = format!("{}/.kube/config", login.home);
        if login.has_kubeconfig {
            // Whatever it leads to, it is somebody's.
            return Change::none(format!("{file} is there, and never overwritten"));
        }
        let run = RunScript {
            command: format!("cp /etc/kubernetes/admin.conf {file}"),
            script: format!(
                "runuser -u {user} -- /bin/sh -euc {WRITE} sh {dir} < /etc/kubernetes/admin.conf",
                user = quote(&login.user),
                dir = quote(&format!("{}/.kube", login.home)),
            ),
            deadline: Duration::from_secs(20),
        };
        let record = vec![Recorded { kind: Self::RECORDED.to_owned(), item: file.clone(), before: None }];
        Change::Some { diff: vec![format!("+ {file}")], actions: vec![Action::Run(run)], record }
    }
}
