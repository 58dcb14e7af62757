//! Work that must not die with the connection: how a transient unit is started, followed to its end, and found again.

use secrecy::SecretString;

use crate::base::quote;
use crate::steps::Detached;

use super::script::write_file;

/// Where jobs live on a host: root's alone.
pub(super) const JOBS: &str = "/var/lib/kfleet/jobs";

/// What [`follow`] exits with when the job ended without a status of its own: killed, or gone down with its host.
pub const LOST: i32 = 250;
/// Where the logs of jobs go that ended well and were heard to their end.
const LOGS: &str = "/var/lib/kfleet/logs";

/// The script that starts the job, unless it runs already or is only to be followed.
pub fn start(job: &Detached, files: &[(&str, SecretString)]) -> String {
    if job.follow_only {
        return ":".to_owned();
    }
    let unit = unit(job);
    let dir = dir(job);
    let mut writes: Vec<String> = files.iter().map(|(name, contents)| private(&dir, name, contents)).collect();
    writes.push(private(&dir, "script", &job.script.clone().into()));
    writes.push(private(&dir, "after", &after(job).into()));
    writes.push(private(&dir, "run", &run(job).into()));
    let description = quote(&format!("kfleet: {}", job.command));
    format!(
        "umask 077
mkdir -p {dir}
chmod 0700 /var/lib/kfleet {JOBS} {dir}
! systemctl is-active --quiet {unit} || exit 0
rm -f {dir}/log {dir}/status
{}
systemctl reset-failed {unit} 2>/dev/null || :
launch() {{ systemd-run --unit={unit} --description={description} \"$@\" /bin/sh {dir}/run; }}
# systemd-run before 236 does not know the property; the job tidies up itself there, unless it is killed.
launch --property=ExecStopPost='/bin/sh {dir}/after' 2>/dev/null || launch",
        writes.join("\n")
    )
}

/// The script that prints the job's output as it comes and ends as the job ended, without its secrets on disk any more.
///
/// A job that ended well leaves its log and nothing else; one that failed keeps its directory, for the next run to see.
pub fn follow(job: &Detached) -> String {
    let dir = dir(job);
    format!(
        "cd {dir}
seen=0
while :; do
    # Looked at before the log is read: what was written until the end is then printed in this round.
    ended=
    if [ -e status ]; then ended=yes
    elif ! systemctl is-active --quiet {unit}; then sleep 1; [ -e status ] && ended=yes || ended=lost
    fi
    size=$(cat log 2>/dev/null | wc -c)
    if [ \"$size\" -gt \"$seen\" ]; then
        tail -c \"+$((seen + 1))\" log | head -c \"$((size - seen))\"
        seen=$size
    fi
    [ -z \"$ended\" ] || break
    sleep 0.3
done
[ ! -e log ] || sed -i -E 's/\\b([a-z0-9]{{6}})\\.[a-z0-9]{{16}}\\b/\\1.***/g' log
[ \"$ended\" != lost ] || exit {LOST}
status=$(cat status)
if [ \"$status\" = 0 ]; then
    (umask 077; mkdir -p {LOGS})
    mv -f log {LOGS}/{name}
    cd /
    # A power cut may keep half of a removal: a directory without its status is that of a job that was lost.
    rm -rf {JOBS}/.heard
    mv {dir} {JOBS}/.heard
    rm -rf {JOBS}/.heard
fi
exit \"$status\"",
        unit = unit(job),
        name = job.name
    )
}

/// What the unit runs: the job's script, its log, its status.
pub(super) fn run(job: &Detached) -> String {
    format!(
        "umask 077
cd {dir} || exit 1
exec > log 2>&1 < /dev/null
export HOME=/root LC_ALL=C PATH=\"$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"
trap '/bin/sh {dir}/after' EXIT
trap 'exit 143' TERM INT HUP
# What kubeadm makes has kubeadm's own modes: its certificates are for everybody to read.
(umask 022; exec /bin/sh -eu ./script)
status=$?
/bin/sh {dir}/after
echo $status > status.new
# What the status tells of must outlive a power cut with it, and it must be told after one: else a good init looks cut.
sync
mv status.new status
sync -- . 2>/dev/null
",
        dir = dir(job),
    )
}

/// What takes the job's secrets off the disk, however it ended; systemd runs it even after a SIGKILL.
fn after(job: &Detached) -> String {
    let files: Vec<&str> = job.files.iter().map(|(name, _)| *name).chain(["script"]).collect();
    let leaves = job.leaves.iter().map(|path| quote(path));
    format!("cd {} && rm -f {}\n", dir(job), files.into_iter().map(quote).chain(leaves).collect::<Vec<_>>().join(" "))
}

fn unit(job: &Detached) -> String {
    format!("kfleet-{}", job.name)
}

fn dir(job: &Detached) -> String {
    format!("{JOBS}/{}", job.name)
}

fn private(dir: &str, name: &str, contents: &SecretString) -> String {
    write_file(&format!("{dir}/{name}"), Some(0o600), None, contents)
}
