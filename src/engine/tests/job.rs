//! What the unit of a job runs, by this machine's `/bin/sh`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use crate::engine::job::{JOBS, follow, run};
use crate::steps::Detached;

fn job(script: &str) -> Detached {
    Detached { script: script.to_owned(), ..Detached::followed("init", "kubeadm init", Duration::from_secs(5)) }
}

/// Runs the script of a job with its directory in `jobs`, with programs of this test's own in the way of the machine's.
fn carried_out(jobs: &std::path::Path, text: &str, programs: &[(&str, &str)]) -> Option<i32> {
    let bin = jobs.join("bin");
    fs::create_dir_all(&bin).unwrap();
    for (name, program) in programs {
        fs::write(bin.join(name), format!("#!/bin/sh\n{program}\n")).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let text = text.replace(JOBS, jobs.to_str().unwrap()).replace("/var/lib/kfleet", jobs.to_str().unwrap());
    let path = format!("{}:/usr/bin:/bin", bin.display());
    Command::new("/bin/sh").args(["-c", &text]).env("PATH", path).status().unwrap().code()
}

#[test]
fn a_status_is_told_when_what_it_tells_of_is_on_the_disk_and_outlives_a_power_cut() {
    let jobs = tempfile::tempdir().unwrap();
    let dir = jobs.path().join("init");
    fs::create_dir(&dir).unwrap();
    let script = "echo done; : >public; exit 7";
    fs::write(dir.join("script"), script).unwrap();
    fs::write(dir.join("after"), "").unwrap();
    let sync = "if [ -e status ]; then echo told; else echo made; fi >>../synced";
    carried_out(jobs.path(), &run(&job(script)), &[("sync", sync)]);
    assert_eq!(fs::read_to_string(dir.join("status")).unwrap(), "7\n");
    assert_eq!(fs::read_to_string(jobs.path().join("synced")).unwrap(), "made\ntold\n");
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("log"), mode("status"), mode("public")], [0o600, 0o600, 0o644]);
}

#[test]
fn a_job_that_was_heard_goes_at_once_and_never_looks_lost() {
    let jobs = tempfile::tempdir().unwrap();
    let dir = jobs.path().join("init");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("log"), "said\n").unwrap();
    fs::write(dir.join("status"), "0\n").unwrap();
    // Cut in the middle of the removal: whatever is gone by then, there is no job of that name.
    let rm = "for path; do [ ! -e \"$path/status\" ] || { /bin/rm \"$path/status\"; kill -9 $PPID; }; done";
    assert_eq!(carried_out(jobs.path(), &follow(&job("")), &[("rm", rm)]), None);
    assert!(!dir.exists());
    assert_eq!(fs::read_to_string(jobs.path().join("logs/init")).unwrap(), "said\n");
}
