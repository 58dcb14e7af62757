use std::time::Duration;

use jiff::Timestamp;

use crate::base::quote;
use crate::facts::{Backup, Facts, Job, Wanted};

use super::super::{Action, Change, Detached, Step};
use super::moved_control_plane::{SCRIPT, first_service};
use super::{AddressChange, RestoreProgress};

/// A snapshot of etcd that is to be put back.
#[derive(Debug, Clone)]
pub struct EtcdRestore {
    /// Whose snapshot it is.
    pub backup: Backup,
    /// This restore's own, as `20261127T013000Z`.
    pub id: String,
    /// How far it has come, where it was cut.
    pub progress: Option<RestoreProgress>,
    /// Addresses in the snapshot that are not the cluster's any more, and the cluster's own.
    pub change: AddressChange,
    /// The API server's port.
    pub port: u16,
    /// The Services' network.
    pub service_subnet: String,
}

impl EtcdRestore {
    /// Its snapshot, on the control plane.
    #[must_use]
    pub fn snapshot(&self) -> String {
        format!("{}/etcd.snapshot", self.backup.path())
    }

    /// Since when every write is lost, as seen at a time: `2026-11-27T01:30:00Z, 2h 5m ago`.
    #[must_use]
    pub fn since(&self, now: Timestamp) -> String {
        format!("{}, {} ago", self.backup.taken, ago(self.backup.taken, now))
    }

    /// What every script of it begins with.
    pub(super) fn prelude(&self) -> String {
        format!(
            "{}id={}\nport={}\nservice={}\n",
            self.change.prelude(),
            quote(&self.id),
            self.port,
            quote(&first_service(&self.service_subnet).unwrap_or_default())
        )
    }
}

/// In the two largest units that matter.
fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

/// etcd has what it had when a snapshot was taken, and the control plane runs with that: by a job that goes on without a
/// connection.
pub struct RestoredEtcd<'a> {
    restore: Option<&'a EtcdRestore>,
    now: Timestamp,
}

/// The job's name: it and a change of address are never at work at once.
const JOB: &str = "reinit";
/// To unpack a large snapshot takes minutes, and kubelet and API server have four to come back.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
const RESTORE: &str = include_str!("../../../templates/reinit/restore.sh");
/// What restarts the programs that have watched the API server since before.
pub(super) const WATCHERS: &str = include_str!("../../../templates/reinit/watchers.sh");

impl<'a> RestoredEtcd<'a> {
    /// By this restore, where it is known, told of as at this time.
    #[must_use]
    pub fn new(restore: Option<&'a EtcdRestore>, now: Timestamp) -> Self {
        Self { restore, now }
    }

    fn script(restore: &EtcdRestore, node: &str) -> String {
        format!(
            "{}snapshot={}\nrestore=\nnode={}\nusers=\n{WATCHERS}{RESTORE}{SCRIPT}",
            restore.prelude(),
            quote(&restore.snapshot()),
            quote(node)
        )
    }

    /// What a reader is told of it beforehand.
    fn diff(&self, restore: &EtcdRestore) -> Vec<String> {
        let backup = &restore.backup;
        let at = backup.address.map(|address| format!(", when the cluster was at {address}")).unwrap_or_default();
        let mut diff = vec![
            format!("~ etcd has again what it had at {}{at}", restore.since(self.now)),
            format!("~ that is {} ({})", restore.snapshot(), size(backup.snapshot.unwrap_or_default())),
            "- every write since then: what was made since is gone, what was changed or deleted since is back"
                .to_owned(),
            format!("+ what etcd has now is kept beside it, as member-before-{}", restore.id),
        ];
        let from = restore.change.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        if !from.is_empty() {
            diff.push(format!("~ {from} becomes {} in the ConfigMaps that come back", restore.change.to));
        }
        diff.push("~ etcd, the API server, controller manager, scheduler and kubelet are restarted".to_owned());
        diff.push("~ so are kube-proxy, the pod network, CoreDNS and what else is in kube-system".to_owned());
        diff.push(
            "~ the API is away for about 15 s; pods that are in the snapshot go on, those made since end".to_owned(),
        );
        diff
    }
}

fn size(bytes: u64) -> String {
    if bytes < 10 << 20 { format!("{} kB", bytes.div_ceil(1 << 10)) } else { format!("{} MB", bytes.div_ceil(1 << 20)) }
}

impl Step for RestoredEtcd<'_> {
    fn name(&self) -> &'static str {
        "etcd-snapshot"
    }

    fn probe(&self) -> Wanted {
        Wanted { jobs: [JOB.to_owned()].into(), backups: true, traces: true, ..RestoreProgress::wanted() }
    }

    fn plan(&self, facts: &Facts) -> Change {
        let Some(restore) = self.restore else { return Change::none("nothing is to be restored") };
        let is_running = facts.jobs.get(JOB) == Some(&Job::Running);
        let mut job = Detached::followed(JOB, "the restore of etcd", DEADLINE);
        let diff = match (&restore.progress, is_running) {
            (None, true) => {
                return Change::Refused {
                    reason: "a change of address is at work here".to_owned(),
                    hint: "see it to its end by `kfleet reinit`, then begin again".to_owned(),
                };
            }
            (Some(_), true) => vec!["~ the restore that runs already".to_owned()],
            (Some(kept), false) if kept.is_restored() => return Change::none("etcd was restored"),
            (progress, false) => {
                job.follow_only = false;
                job.script = Self::script(restore, &facts.node_name());
                let goes_on = progress.as_ref().map(|kept| {
                    format!("~ the restore that was begun at {} goes on where it was cut: {}", kept.id, kept.state)
                });
                goes_on.into_iter().chain(self.diff(restore)).collect()
            }
        };
        Change::Some { diff, actions: vec![Action::Detach(Box::new(job))], record: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::{RESTORE, ago};

    #[test]
    fn how_long_ago_is_told_in_what_matters() {
        let then = "2026-11-27T08:00:00Z".parse().unwrap();
        for (now, told) in [
            ("2026-11-27T08:00:42.9Z", "42s"),
            ("2026-11-27T08:01:00Z", "1m"),
            ("2026-11-27T10:05:59Z", "2h 5m"),
            ("2026-12-07T07:00:00Z", "9d 23h"),
            ("2026-11-27T07:00:00Z", "0s"),
        ] {
            assert_eq!(ago(then, now.parse().unwrap()), told);
        }
    }

    /// What is where, each directory holding one word.
    fn words(data: &Path) -> String {
        let read = |name: &str| fs::read_to_string(data.join(name).join("word")).unwrap_or_else(|_| "-".to_owned());
        ["member", "aside", ".made/member"].map(read).join(" ")
    }

    #[test]
    fn the_data_is_exchanged_once_wherever_it_was_cut() {
        for (before, after) in [
            ("old - new", "new old -"),
            ("- old new", "new old -"),
            ("new old -", "new old -"),
            // Booted between the renames: etcd has begun an empty one.
            ("empty old new", "new old -"),
            // There was nothing to put aside.
            ("- - new", "new - -"),
        ] {
            let data = tempfile::tempdir().unwrap();
            for (name, word) in ["member", "aside", ".made/member"].into_iter().zip(before.split(' ')) {
                if word != "-" {
                    fs::create_dir_all(data.path().join(name)).unwrap();
                    fs::write(data.path().join(name).join("word"), word).unwrap();
                }
            }
            let script =
                format!("set -eu\n{RESTORE}\ndata=$1 made=$1/.made aside=$1/aside\nexchange_data\nexchange_data\n");
            let status = Command::new("/bin/sh").args(["-c", &script, "sh"]).arg(data.path()).status().unwrap();
            assert!(status.success(), "{before}");
            assert_eq!(words(data.path()), after, "{before}");
            assert!(!data.path().join(".made").exists(), "{before}");
        }
    }
}
