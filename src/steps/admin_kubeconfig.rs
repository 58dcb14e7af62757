use std::time::Duration;

use crate::base::quote;
use crate::facts::{Facts, Kubeconfig};

use super::{Action, Change, RunScript, Step, Yields};

/// The person who runs kfleet can use kubectl: on the control plane as the user that logs in, and on the workstation.
pub struct AdminKubeconfig<'a> {
    saved: Option<&'a str>,
}

const ADMIN: &str = "/etc/kubernetes/admin.conf";

impl<'a> AdminKubeconfig<'a> {
    /// With the kubeconfig that the workstation has kept of this cluster, if any.
    #[must_use]
    pub fn new(saved: Option<&'a str>) -> Self {
        Self { saved }
    }

    /// Whether what the workstation has kept leads to the cluster as it is now.
    fn kept(&self, admin: Option<&Kubeconfig>) -> bool {
        let (Some(saved), Some(admin)) = (self.saved, admin) else { return false };
        Kubeconfig::parse(saved).as_ref() == Some(admin)
    }
}

impl Step for AdminKubeconfig<'_> {
    fn name(&self) -> &'static str {
        "admin-kubeconfig"
    }

    fn plan(&self, facts: &Facts) -> Change {
        let mut diff = Vec::new();
        let mut actions = Vec::new();
        let login = &facts.login;
        // As the notes do by hand. One that is there is somebody's, and never overwritten.
        if !login.has_kubeconfig && !login.home.is_empty() {
            diff.push(format!("+ {}/.kube/config", login.home));
            actions.push(Action::Run(RunScript {
                command: format!("cp {ADMIN} {}/.kube/config", login.home),
                // Written by the user itself: root must not follow links in a directory that is not its own.
                script: format!(
                    "runuser -u {user} -- /bin/sh -c 'umask 077; mkdir -p \"$1\"; set -C; cat > \"$1/config\"' sh {dir} < {ADMIN}",
                    user = quote(&login.user),
                    dir = quote(&format!("{}/.kube", login.home)),
                ),
                deadline: Duration::from_secs(20),
            }));
        }
        if !self.kept(facts.kubeadm.kubeconfigs.get("admin")) {
            diff.push("+ the admin kubeconfig, on the workstation".to_owned());
            let run = RunScript {
                command: format!("cat {ADMIN}"),
                script: format!("cat {ADMIN}"),
                deadline: Duration::from_secs(20),
            };
            actions.push(Action::Capture(Yields::AdminKubeconfig, run));
        }
        if actions.is_empty() {
            return Change::none("both kubeconfigs are there");
        }
        Change::Some { diff, actions, record: Vec::new() }
    }
}
