use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Holder, Reply, ToChange};

/// One thing that happened. Texts that came from a host are already printable and free of tokens.
///
/// Serialised it is one flat object, which can be read again: its name in `event`, hosts as `host`, times spent as seconds in `took_s`. Programs
/// read these names: a change of one breaks them, so a golden file holds each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each field is named for what it holds")]
pub enum Event {
    /// A run began, over these hosts in inventory order.
    RunStarted { command: String, cluster: String, hosts: Vec<String> },
    /// Files began to be copied to these hosts, or fetched from them.
    TransferStarted { command: String, hosts: Vec<String> },
    /// Of `total` bytes, so many have been taken by the host, or come from it.
    BytesMoved { host: String, step: String, done: u64, total: u64 },
    /// A host was connected to, its key verified, its user logged in.
    HostConnected {
        host: String,
        #[serde(rename = "took_s", serialize_with = "seconds", deserialize_with = "from_seconds")]
        took: Duration,
    },
    /// A host told its facts.
    FactsGathered {
        host: String,
        #[serde(rename = "took_s", serialize_with = "seconds", deserialize_with = "from_seconds")]
        took: Duration,
    },
    /// Preflight found something. Without a host it concerns the fleet.
    ProblemFound { host: Option<String>, severity: Severity, check: String, reason: String, hint: Option<String> },
    /// Somebody was asked whether to make these changes; where `confirm` has a name, it must be typed.
    ApprovalAsked { confirm: Option<String>, changes: Vec<ToChange> },
    /// What was said to that.
    ApprovalAnswered { reply: Reply },
    /// What was approved is not what there is to do any more: somebody changed these hosts in the meantime.
    PlanChanged { hosts: Vec<String> },
    /// Nothing may be changed: this one holds the lock, by a run or by these (host, what) that still go on.
    LockRefused {
        host: String,
        holder: Option<Holder>,
        #[serde(serialize_with = "waits", deserialize_with = "from_waits")]
        still_running: Vec<(String, String)>,
    },
    /// The lock is not held any more: nothing new is started.
    LockLost { host: String, reason: String },
    /// Work on a step began.
    StepStarted { host: String, step: String },
    /// Something within a step can be told, such as a phase of kubeadm.
    StepProgressed { host: String, step: String, message: String },
    /// What a host has to say that belongs into the report of the run.
    HostNoted { host: String, note: String },
    /// A line of remote output; shown on request only.
    OutputReceived { host: String, step: String, line: String },
    /// A host already was as the step wants it.
    StepUnchanged { host: String, step: String, why: String },
    /// A step changed a host; `diff` has a line a change, as `+ added`, `- removed` or prose.
    StepChanged {
        host: String,
        step: String,
        diff: Vec<String>,
        #[serde(rename = "took_s", serialize_with = "seconds", deserialize_with = "from_seconds")]
        took: Duration,
    },
    /// What a step would do on a host; nothing was done. `diff` as in `step-changed`.
    StepPlanned { host: String, step: String, diff: Vec<String>, actions: Vec<PlannedAction> },
    /// A step or the way to it failed. What comes after it on this host is not done.
    HostFailed { host: String, failure: Failure },
    /// A host needs nothing more in this run.
    HostFinished { host: String, tally: Tally },
    /// A file was written on the workstation.
    FileSaved {
        what: String,
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
    },
    /// Ctrl-C: nothing new is started; these (host, what) are waited for.
    InterruptReceived {
        #[serde(serialize_with = "waits", deserialize_with = "from_waits")]
        waiting_for: Vec<(String, String)>,
    },
    /// All that would be done was told, and nothing was done. What `tallies` calls changed would be.
    PlanFinished {
        #[serde(flatten)]
        outcome: Outcome,
        #[serde(serialize_with = "by_host", deserialize_with = "from_by_host")]
        tallies: Vec<(String, Tally)>,
        #[serde(rename = "took_s", serialize_with = "seconds", deserialize_with = "from_seconds")]
        took: Duration,
    },
    /// The run is over.
    RunFinished {
        #[serde(flatten)]
        outcome: Outcome,
        #[serde(serialize_with = "by_host", deserialize_with = "from_by_host")]
        tallies: Vec<(String, Tally)>,
        #[serde(rename = "took_s", serialize_with = "seconds", deserialize_with = "from_seconds")]
        took: Duration,
    },
}

/// One thing that a step would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAction {
    /// The command as a person would type it, or `write` and a path.
    pub what: String,
    /// Of a file that would be written, how it would differ: a unified diff, line by line.
    pub diff: Vec<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing is stopped by it.
    Warning,
    /// Stops the host, or the run where it concerns the control plane or all hosts.
    Error,
}

/// A failure as the person at the keyboard needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: FailureKind,
    /// The step that failed, where one was under way.
    pub step: Option<String>,
    /// What went wrong, a fragment that fits "failed: …".
    pub reason: String,
    /// The command that failed, if one did.
    pub command: Option<String>,
    /// Its exit status in words.
    pub status: Option<String>,
    /// The last lines that it wrote.
    pub output: Vec<String>,
    /// The likely cause or what to do.
    pub hint: Option<String>,
}

/// The families of failures, one an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A deadline passed or the run was interrupted: exit code 3.
    Deadline,
    /// A host could not be reached, verified or authenticated: 4.
    Unreachable,
    /// A remote command or step failed, or preflight found an error: 5.
    Step,
    /// Something on the workstation: 1.
    Local,
}

/// What a run came to on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The steps that changed something.
    pub changed: Vec<String>,
    /// How many steps found nothing to change.
    pub unchanged: usize,
    /// Why it ended early, if it did.
    pub failure: Option<Failure>,
    /// From the first packet to the last, the time spent waiting for other hosts included.
    #[serde(rename = "took_s", serialize_with = "seconds", deserialize_with = "from_seconds")]
    pub took: Duration,
}

impl Tally {
    /// Adds what the next part of the run came to on the same host.
    pub fn add(&mut self, next: Self) {
        self.changed.extend(next.changed);
        self.unchanged += next.unchanged;
        self.failure = self.failure.take().or(next.failure);
        self.took += next.took;
    }
}

/// How a run ended as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "failure_kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// Every host is as the inventory wants it.
    Succeeded,
    /// At least one is not; of several kinds the one that the exit code names.
    Failed(FailureKind),
}

impl Outcome {
    /// What a run came to whose failures were of these kinds: the one that a person should hear of first names it.
    #[must_use]
    pub fn of(failures: impl IntoIterator<Item = FailureKind>) -> Self {
        failures.into_iter().min().map_or(Self::Succeeded, Self::Failed)
    }
}

/// To the millisecond: more is noise, and a float should not pretend to know it.
fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer
        .serialize_f64(Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).as_secs_f64())
}

/// A path that is not UTF-8 must not cost its event.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

fn from_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[derive(Serialize, Deserialize)]
struct Wait {
    host: String,
    what: String,
}

fn waits<S: Serializer>(waiting_for: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(waiting_for.iter().cloned().map(|(host, what)| Wait { host, what }))
}

fn from_waits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    Ok(Vec::<Wait>::deserialize(deserializer)?.into_iter().map(|wait| (wait.host, wait.what)).collect())
}

#[derive(Serialize, Deserialize)]
struct OfHost {
    host: String,
    #[serde(flatten)]
    tally: Tally,
}

fn by_host<S: Serializer>(tallies: &[(String, Tally)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tallies.iter().cloned().map(|(host, tally)| OfHost { host, tally }))
}

fn from_by_host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Tally)>, D::Error> {
    Ok(Vec::<OfHost>::deserialize(deserializer)?.into_iter().map(|of| (of.host, of.tally)).collect())
}
