//! A change of the firewall that shuts kfleet out, and how the host lets it in again.

use std::time::Instant;

use crate::lab::Lab;

const WORKERS: &str = "groups = [\"workers\"]";

#[test]
#[ignore = "needs the lab"]
fn a_host_whose_firewall_shuts_kfleet_out_takes_that_back_by_itself() {
    let lab = Lab::ready();
    let ssh = |list: &str| lab.inventory(&[(WORKERS, &format!("{WORKERS}\n\n[firewall]\nworker_ports = [{list}]"))]);
    assert_eq!(lab.up_with(&ssh("\"22/tcp\""), &["--json"]).exits(0).changed(), ["h2 firewall", "h3 firewall"]);
    // A new way in is proved where something is closed, and nothing is left armed.
    assert_eq!(lab.up_with(&ssh(""), &["--json"]).exits(0).changed(), ["h2 firewall", "h3 firewall"]);
    assert_ne!(lab.try_root("h3", "systemctl is-active kfleet-firewall-back.timer").code, 0);
    lab.up_with(&ssh("\"22/tcp\""), &["--json"]).exits(0);

    // From now on the port that kfleet opened is the only way in to h3, at run time.
    let zone = || lab.root("h3", "firewall-cmd --zone=public --list-all");
    lab.root("h3", "firewall-cmd --zone=public --remove-service=ssh");
    let before = zone();
    let up = lab.up_with(&ssh(""), &["--json"]);
    let since = Instant::now();
    let failed = up.failed();
    assert_eq!(failed.len(), 1, "{up}");
    assert!(failed[0].starts_with("h3 step: no new connection gets in after this change"), "{failed:?}");
    assert_eq!(up.changed(), ["h2 firewall"]);
    assert_eq!(up.exits(5).events_of("host-finished").len(), 3);
    assert_ne!(lab.ssh("h3", "true").code, 0, "h3 is shut");
    lab.wait("h3 to take it back", || lab.ssh("h3", "true").code == 0);
    eprintln!("let in again {:?} after the run", since.elapsed());
    assert_eq!(zone(), before);
    lab.root("h3", "firewall-cmd --permanent --zone=public --query-port=22/tcp");

    lab.root("h3", "firewall-cmd --zone=public --add-service=ssh");
    assert_eq!(lab.up(&["--json"]).exits(0).changed(), ["h3 firewall"]);
    lab.intact();
}
