//! Becoming root by a password.

use std::fs;

use crate::lab::Lab;
use crate::ran::Ran;
use crate::watch::Watch;

fn up(lab: &Lab, password: &str) -> Ran {
    let inventory = lab.inventory(&[("user = \"ops\"", "user = \"admin\"")]);
    let mut command = lab.kfleet(&["up", "--json", "-v", "-i", inventory.to_str().unwrap()]);
    command.env("KFLEET_SUDO_PASSWORD", password).output().unwrap().into()
}

#[test]
#[ignore = "needs the lab"]
fn a_user_whose_sudo_asks_does_all_that_one_without_can() {
    let lab = Lab::ready();
    let password = fs::read_to_string(lab.file("admin.password")).unwrap().trim().to_owned();
    let watch = Watch::start();
    let first = up(&lab, &password).exits(0);
    // On this user's own behalf; all the rest is as `ops` has left it.
    assert_eq!(first.changed(), ["h1 admin-kubeconfig"]);
    assert_eq!(lab.root("h1", "stat -c '%a %U:%G' /home/admin/.kube/config"), "600 admin:admin");
    assert_eq!(up(&lab, &password).exits(0).changed(), [""; 0]);
    let argv = watch.end();
    assert!(argv.iter().any(|argv| argv.starts_with("sudo -S ")), "the watch has missed sudo: {argv:#?}");
    assert!(!argv.iter().any(|argv| argv.contains(&password)), "in argv: {argv:#?}");
    assert!(!first.stdout.contains(&password) && !first.stderr.contains(&password));
    for host in ["h1", "h2", "h3"] {
        let journal = format!("journalctl --no-pager | grep -c '{password}' || true");
        assert_eq!(lab.root(host, &journal), "0", "{host}");
    }
    lab.root("h1", "rm -r /home/admin/.kube");
    lab.intact();
}

#[test]
#[ignore = "needs the lab"]
fn a_wrong_password_is_tried_once_a_host() {
    let lab = Lab::ready();
    let wrong = || {
        let count = "journalctl --no-pager -o cat | grep -c 'authentication failure; .*user=admin' || true";
        ["h1", "h2", "h3"].map(|host| lab.root(host, count).parse::<u32>().unwrap())
    };
    let before = wrong();
    let up = up(&lab, "not the password").exits(4);
    let failed = up.failed();
    assert_eq!(failed.len(), 3, "{up}");
    assert!(
        failed.iter().all(|failed| failed.contains(" unreachable: ") && failed.contains("incorrect password")),
        "{failed:?}"
    );
    assert_eq!(wrong(), before.map(|count| count + 1));
    assert!(!up.stdout.contains("not the password"));
    lab.intact();
}
