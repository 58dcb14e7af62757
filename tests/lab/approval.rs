//! What `up` asks at a terminal before it changes anything.

use crate::lab::Lab;
use crate::terminal::Terminal;

#[test]
#[ignore = "needs the lab"]
fn somebody_at_a_terminal_is_asked_and_nothing_is_done_without_a_yes() {
    let lab = Lab::ready();
    let inventory = lab.file("inventory.toml");
    let up = ["up", "-i", inventory.to_str().unwrap()];
    let forwards = || lab.root("h3", "sysctl -n net.ipv4.ip_forward");
    // Nothing to change: nothing to ask.
    assert!(!Terminal::of(&lab, &up).exits(0).contains("[y/N]"));

    lab.root("h3", "sysctl -w net.ipv4.ip_forward=0");
    let before = lab.traces(&["h1", "h2", "h3"]);
    for (keys, code) in [("n\n", 1), ("\n", 1), ("\u{4}", 1), ("\u{3}", 3)] {
        let mut terminal = Terminal::of(&lab, &up);
        // What is typed before there is a question is no answer to it.
        terminal.types("y\n");
        terminal.until("Apply? [y/N] ");
        assert!(terminal.seen.contains("h3") && terminal.seen.contains("kernel"), "{}", terminal.seen);
        terminal.types(keys);
        let seen = terminal.exits(code);
        assert!(seen.contains("not approved: nothing was changed"), "{seen}");
        assert_eq!(forwards(), "0");
    }
    before.assert_same(&lab.traces(&["h1", "h2", "h3"]));

    let mut terminal = Terminal::of(&lab, &up);
    terminal.until("Apply? [y/N] ");
    terminal.types("y\n");
    terminal.exits(0);
    assert_eq!(forwards(), "1");
    lab.root("h3", "sysctl -w net.ipv4.ip_forward=0");
    assert!(!Terminal::of(&lab, &[&up[..], &["--yes"]].concat()).exits(0).contains("[y/N]"));
    assert_eq!(forwards(), "1");

    // The runs can be looked at again, question and answer with them.
    let runs = lab.history(&[]);
    let refused = runs.lines().rfind(|line| line.contains("failed on this machine")).unwrap();
    let shown = lab.history(&["show", refused.split_whitespace().next().unwrap()]);
    assert!(shown.contains("Apply? [y/N]") && shown.contains("not approved"), "{shown}");
    lab.intact();
}

#[test]
#[ignore = "needs the lab"]
fn what_somebody_else_does_while_it_is_asked_is_told_and_asked_about_again() {
    let lab = Lab::ready();
    let inventory = lab.file("inventory.toml");
    lab.root("h3", "sysctl -w net.ipv4.ip_forward=0");
    let mut terminal = Terminal::of(&lab, &["up", "-i", inventory.to_str().unwrap()]);
    terminal.until("Apply? [y/N] ");
    lab.root("h2", "firewall-cmd --zone=public --remove-port=10250/tcp");
    terminal.seen.clear();
    terminal.types("y\n");
    terminal.until("the plan changed");
    terminal.until("Apply? [y/N] ");
    assert!(terminal.seen.contains("firewall") && terminal.seen.contains("kernel"), "{}", terminal.seen);
    assert_eq!(lab.root("h3", "sysctl -n net.ipv4.ip_forward"), "0");
    terminal.types("y\n");
    terminal.exits(0);
    assert_eq!(lab.root("h3", "sysctl -n net.ipv4.ip_forward"), "1");
    assert_eq!(lab.root("h2", "firewall-cmd --zone=public --query-port=10250/tcp"), "yes");
    lab.intact();
}
