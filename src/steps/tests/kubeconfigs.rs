//! How a user's kubeconfig is written and rewritten, by this machine's `/bin/sh`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::facts::{Facts, Login};
use crate::steps::{Action, AdminKubeconfig, Step};

/// Runs a script with these programs before the machine's own, as whoever runs the test; whether it ended well.
fn ran(top: &Path, script: &str, programs: &[(&str, &str)]) -> bool {
    let bin = top.join("bin");
    let _ = fs::remove_dir_all(&bin);
    fs::create_dir(&bin).unwrap();
    for (name, program) in [("runuser", "shift 3; exec \"$@\"")].iter().chain(programs) {
        fs::write(bin.join(name), format!("#!/bin/sh\n{program}\n")).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", bin.display());
    Command::new("/bin/sh").args(["-euc", script]).env("PATH", path).status().unwrap().success()
}

fn there(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_kubeconfig_is_written_whole_or_not_at_all_and_never_over_another() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path();
    fs::write(top.join("admin.conf"), "whole").unwrap();
    let home = top.join("it's home");
    let login = Login { user: "ops".to_owned(), home: home.to_str().unwrap().to_owned(), has_kubeconfig: false };
    let change = AdminKubeconfig.plan(&Facts { login, ..Facts::default() });
    let [Action::Run(run)] = change.actions() else { panic!("{change:?}") };
    let script = run.script.replace("/etc/kubernetes", top.to_str().unwrap());
    let kube = home.join(".kube");
    let config = kube.join("config");

    assert!(!ran(top, &script, &[("cat", "printf ha; exit 1")]), "the disk is full");
    assert_eq!(there(&kube), [""; 0]);
    // As one was left by kfleet before.
    fs::write(&config, "").unwrap();
    assert!(ran(top, &script, &[]));
    assert_eq!((fs::read_to_string(&config).unwrap().as_str(), there(&kube)), ("whole", vec!["config".to_owned()]));
    assert_eq!(fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o600);

    fs::write(&config, "mine").unwrap();
    assert!(!ran(top, &script, &[]));
    fs::remove_file(&config).unwrap();
    symlink("elsewhere", &config).unwrap();
    assert!(!ran(top, &script, &[]));
    assert_eq!(
        (fs::read_link(&config).unwrap().to_str(), there(&kube)),
        (Some("elsewhere"), vec!["config".to_owned()])
    );
}

#[test]
fn a_kubeconfig_is_moved_whole_or_not_at_all_with_its_mode_and_where_it_is() {
    let template = include_str!("../../../templates/reinit/control-plane.sh");
    let from = template.find("move_kubeconfigs() {").unwrap();
    let to = from + template[from..].find("\n}\n").unwrap() + 3;
    let temp = tempfile::tempdir().unwrap();
    let (kube, own) = (temp.path().join(".kube"), temp.path().join("own"));
    fs::create_dir(&kube).unwrap();
    fs::create_dir(&own).unwrap();
    fs::write(own.join("config"), "at 10.0.0.1, and\nwithout end").unwrap();
    fs::set_permissions(own.join("config"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../own/config", kube.join("config")).unwrap();
    let settings = "stale='10\\.0\\.0\\.1' moves='s/10\\.0\\.0\\.1/10.0.0.2/'";
    let script = format!("{settings} users='ops:{}'\n{}move_kubeconfigs", temp.path().display(), &template[from..to]);

    assert!(ran(temp.path(), &script, &[("sed", "printf at; exit 1")]), "the disk is full: told, and no failure");
    assert_eq!(fs::read_to_string(own.join("config")).unwrap(), "at 10.0.0.1, and\nwithout end");
    assert!(ran(temp.path(), &script, &[]));
    assert_eq!(fs::read_to_string(own.join("config")).unwrap(), "at 10.0.0.2, and\nwithout end");
    assert_eq!(fs::metadata(own.join("config")).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!((there(&own), there(&kube)), (vec!["config".to_owned()], vec!["config".to_owned()]));
}
