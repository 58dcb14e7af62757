use std::time::Duration;

use crate::base::quote;
use crate::facts::Facts;

use super::super::{Action, Change, Contents, RunScript, Step, WriteFile};
use super::Begun;

/// The control plane is stopped; /etc/kubernetes and etcd's data lie where nothing takes them away.
pub struct PutAside<'a> {
    begun: &'a Begun,
    /// Whether this goes on with one that was cut.
    goes_on: bool,
}

/// A large etcd on another file system is copied.
const DEADLINE: Duration = Duration::from_secs(15 * 60);
const SHARED: &str = include_str!("../../../templates/reinit/shared.sh");
const SCRIPT: &str = include_str!("../../../templates/scratch/put-aside.sh");

impl<'a> PutAside<'a> {
    /// For this beginning anew, which may have come as far before.
    #[must_use]
    pub fn new(begun: &'a Begun, goes_on: bool) -> Self {
        Self { begun, goes_on }
    }
}

impl Step for PutAside<'_> {
    fn name(&self) -> &'static str {
        "put-aside"
    }

    fn plan(&self, facts: &Facts) -> Change {
        let mut actions = Vec::new();
        if !self.goes_on {
            let Ok(text) = self.begun.to_json() else {
                return Change::Refused {
                    reason: "what is to be kept of the cluster cannot be written down".to_owned(),
                    hint: "please report it".to_owned(),
                };
            };
            actions.push(Action::Write(WriteFile {
                path: Begun::PATH.to_owned(),
                contents: Contents::Text(text),
                mode: Some(0o600),
                replaces: None,
            }));
        }
        let backup = self.begun.backup();
        let script = format!(
            "{SHARED}id={}\nbackup={}\nnode={}\n{SCRIPT}",
            quote(&self.begun.id),
            quote(&backup),
            quote(&facts.node_name())
        );
        let command = "put /etc/kubernetes and etcd's data aside".to_owned();
        actions.push(Action::Run(RunScript { command, script, deadline: DEADLINE }));
        let diff = vec![
            "- the control plane: it is stopped, and every object in its etcd is out of reach".to_owned(),
            format!("+ {backup}: /etc/kubernetes, and etcd's data"),
        ];
        Change::Some { diff, actions, record: Vec::new() }
    }
}
