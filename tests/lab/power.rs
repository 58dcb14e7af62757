//! What `up` has set must be there after the next boot.

use crate::lab::Lab;

const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

#[test]
#[ignore = "needs the lab"]
fn a_cluster_comes_back_by_itself_after_a_power_cut() {
    let lab = Lab::ready();
    lab.script("stop", &HOSTS).exits(0);
    lab.script("start", &HOSTS).exits(0);
    for host in HOSTS {
        assert_eq!(lab.root(host, "sysctl -n net.ipv4.ip_forward"), "1", "{host}");
    }
    lab.wait_until_ready();
    assert_eq!(lab.up(&["--json"]).exits(0).changed(), [""; 0]);
    lab.intact();
}
