//! Work that must not die with the connection: how a transient unit is started, followed to its end, and found again.

use secrecy::SecretString;

use crate::base::quote;
use crate::steps::Detached;

use super::script::write_file;

/// Where jobs live on a host: root's alone.
const JOBS: &str = "/var/lib/kfleet/jobs";

/// The script that starts the job, unless it runs already or is only to be followed.
pub fn start(job: &Detached, files: &[(&str, SecretString)]) -> String {
    if job.follow_only {
        return ":".to_owned();
    }
    let unit = unit(job);
    let dir = dir(job);
    let mut writes: Vec<String> = files.iter().map(|(name, contents)| private(&dir, name, contents)).collect();
    writes.push(private(&dir, "script", &job.script.clone().into()));
    writes.push(private(&dir, "run", &run(job).into()));
    let description = quote(&format!("kfleet: {}", job.command));
    format!(
        "umask 077\n\
         mkdir -p {dir}\n\
         chmod 0700 /var/lib/kfleet {JOBS} {dir}\n\
         ! systemctl is-active --quiet {unit} || exit 0\n\
         rm -f {dir}/log {dir}/status\n\
         {}\n\
         systemctl reset-failed {unit} 2>/dev/null || :\n\
         systemd-run --unit={unit} --description={description} /bin/sh {dir}/run",
        writes.join("\n")
    )
}

/// The script that prints the job's output as it comes and ends as the job ended, without its secrets on disk any more.
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
if [ \"$ended\" = lost ]; then
    echo
    echo '{unit} ended without a status: was it stopped, or did the host go down?'
    exit 1
fi
exit \"$(cat status)\"",
        unit = unit(job)
    )
}

/// What the unit runs: the job's script, its log, its status; its files are gone when it ends, however it ends.
fn run(job: &Detached) -> String {
    let files: Vec<&str> = job.files.iter().map(|(name, _)| *name).chain(["script"]).collect();
    format!(
        "umask 077
cd {dir} || exit 1
exec > log 2>&1 < /dev/null
export HOME=/root LC_ALL=C PATH=\"$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"
trap 'rm -f {files}' EXIT
trap 'exit 143' TERM INT HUP
/bin/sh -eu ./script
status=$?
rm -f {files}
echo $status > status.new
mv status.new status
",
        dir = dir(job),
        files = files.join(" ")
    )
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
