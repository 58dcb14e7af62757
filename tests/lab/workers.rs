//! A worker that is new, one that is down, and one that comes back.

use crate::lab::Lab;

#[test]
#[ignore = "needs the lab"]
fn a_new_worker_that_is_down_costs_only_itself_and_joins_alone_when_it_is_up() {
    let lab = Lab::ready();
    lab.script("up", &["4"]).exits(0);
    lab.script("stop", &["h4"]).exits(0);

    let down = lab.up(&["--json"]).exits(4);
    let failed = down.failed();
    assert!(failed.len() == 1 && failed[0].starts_with("h4 unreachable: "), "{failed:?}");
    // The others know its address already.
    assert_eq!(down.changed(), ["h1 hosts-file", "h2 hosts-file", "h3 hosts-file"]);
    assert_eq!(lab.nodes(), ["h1 True", "h2 True", "h3 True"]);

    lab.script("start", &["h4"]).exits(0);
    let hosts = ["h1", "h2", "h3"];
    let before = lab.traces(&hosts);
    let up = lab.up(&["--json"]).exits(0);
    let changed = ["hosts-file", "kernel", "firewall", "kubelet-unit", "worker"].map(|step| format!("h4 {step}"));
    assert_eq!(up.changed(), changed);
    assert_eq!(lab.nodes(), ["h1 True", "h2 True", "h3 True", "h4 True"]);
    before.assert_same(&lab.traces(&hosts));
    assert_eq!(lab.root("h1", "kubeadm token list"), "");
}

/// What takes too long for every run.
mod in_full {
    use super::*;

    #[test]
    #[ignore = "needs the lab"]
    fn of_bare_hosts_one_that_is_down_costs_only_itself_and_is_made_up_for() {
        let lab = Lab::bare(3);
        lab.script("stop", &["h3"]).exits(0);
        let without = lab.up(&["--json"]).exits(4);
        let failed = without.failed();
        assert!(failed.len() == 1 && failed[0].starts_with("h3 unreachable: "), "{failed:?}");
        assert_eq!(lab.nodes(), ["h1 True", "h2 True"]);

        lab.script("start", &["h3"]).exits(0);
        let up = lab.up(&["--json"]).exits(0);
        assert!(up.changed().iter().all(|change| change.starts_with("h3 ")), "{up}");
        assert_eq!(lab.nodes(), ["h1 True", "h2 True", "h3 True"]);
    }
}
