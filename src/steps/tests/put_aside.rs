//! What puts etcd's data aside, by this machine's `/bin/sh`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// etcd's data is on another file system; of two files, the second is copied only when there is a file `go`.
const PROGRAMS: [(&str, &str); 4] = [
    ("systemctl", ":"),
    ("stat", "case $3 in */member) echo 1 ;; *) echo 2 ;; esac"),
    ("sync", "echo sync >>\"${0%/bin/*}/done\""),
    (
        "cp",
        "top=${0%/bin/*}
case $2 in */member) ;; *) exec /bin/cp \"$@\" ;; esac
mkdir \"$3\" && /bin/cp \"$2/one\" \"$3\" && : >\"$top/copying\"
until [ -e \"$top/go\" ]; do sleep 0.05; done
/bin/cp \"$2/two\" \"$3\"",
    ),
];

fn begin(top: &Path) -> Child {
    let at = |path: &str| top.join(path).display().to_string();
    let script = include_str!("../../../templates/scratch/put-aside.sh")
        .replace("/var/lib/kfleet/scratch", &at("state"))
        .replace("/etc/kubernetes", &at("kube"));
    let shared = include_str!("../../../templates/reinit/shared.sh");
    // What is removed is noted between what is brought to the disk.
    let rm = format!("rm() {{ echo \"rm $2\" >>{}; command rm \"$@\"; }}\n", at("done"));
    let text = format!("{shared}{rm}id=x\nbackup={}\nnode=h1\n{script}", at("backup"));
    let path = format!("{}:/usr/bin:/bin", at("bin"));
    Command::new("/bin/sh").args(["-euc", &text]).env("PATH", path).spawn().unwrap()
}

#[test]
fn etcds_data_is_on_the_disk_elsewhere_before_it_goes_though_two_are_at_it() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path();
    for dir in ["bin", "kube/manifests", "etcd/member"] {
        fs::create_dir_all(top.join(dir)).unwrap();
    }
    for (name, program) in PROGRAMS {
        fs::write(top.join("bin").join(name), format!("#!/bin/sh\n{program}\n")).unwrap();
        fs::set_permissions(top.join("bin").join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    for file in ["one", "two"] {
        fs::write(top.join("etcd/member").join(file), file).unwrap();
    }
    fs::write(top.join("kube/manifests/etcd.yaml"), format!("    - --data-dir={}\n", top.join("etcd").display()))
        .unwrap();

    let mut first = begin(top);
    let since = Instant::now();
    while !top.join("copying").exists() {
        assert!(since.elapsed() < Duration::from_secs(10), "it never came to the copy");
        sleep(Duration::from_millis(20));
    }
    // Its connection was lost, and the same command is run again.
    let mut second = begin(top);
    sleep(Duration::from_millis(500));
    fs::write(top.join("go"), "").unwrap();
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success());

    for file in ["one", "two"] {
        assert_eq!(fs::read_to_string(top.join("backup/etcd-member").join(file)).unwrap(), file);
    }
    assert!(!top.join("etcd/member").exists());
    let done = fs::read_to_string(top.join("done")).unwrap();
    let member = format!("rm {}\n", top.join("etcd/member").display());
    let (before, _) = done.split_once(&member).unwrap_or_else(|| panic!("{member} is not in {done}"));
    assert!(before.ends_with("half\nsync\nsync\n"), "once for the copy, once for its name: {before}");
}
