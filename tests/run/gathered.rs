use std::process::{Command, Stdio};

use crate::fleet::{Fleet, Ran};

/// Commands whose outputs and statuses go together in other ways; each knows its host by the last number of its address.
const COMMANDS: [&str; 9] = [
    "echo same",
    "echo $((n % 3))",
    "echo $((n % 2)); exit $((n % 3))",
    "[ $n -gt 4 ] && echo large; true",
    "echo a; echo; echo 'b  c'; [ $n = 3 ] && printf unended; true",
    "[ $n = 5 ] && printf 'x' || echo x",
    "[ $n = 2 ] && echo; [ $n = 3 ] && exit 7; true",
    "case $n in [2-4]) echo low;; 5) exit 1;; *) echo high; exit 2;; esac",
    "seq 1 $((n / 4 * 40000))",
];

fn on_each(command: &str) -> String {
    format!("set -- $SSH_CONNECTION; n=${{3##*.}}; {command}")
}

/// The real clush on all hosts, with these arguments; `None`, said on stdout, where there is none.
fn clush(fleet: &Fleet, arguments: &[&str]) -> Option<Ran> {
    let mut clush = Command::new("clush");
    clush.args(["-w", "node[1-8]", "-o"]).arg(format!("-F {}", fleet.path("ssh_config").display())).args(arguments);
    clush.env("HOME", fleet.path("")).env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
    if Command::new("clush").arg("--version").output().is_err() {
        println!("left out: there is no clush on this machine");
        return None;
    }
    Some(Ran::of(&mut clush))
}

#[test]
fn blocks_are_clushs_byte_for_byte() {
    let Some(fleet) = Fleet::start() else { return };
    let commands = COMMANDS.map(on_each);
    let mut theirs = String::new();
    for command in &commands {
        let Some(clush) = clush(&fleet, &["-b", command]) else { return };
        theirs += &clush.stdout;
    }
    // One connection a host for all of them.
    let ours = crate::shell::batch(&fleet, &["-b"], commands.join("\n")).stdout;
    let differ = ours.lines().zip(theirs.lines()).position(|(ours, theirs)| ours != theirs);
    assert!(ours == theirs, "line {differ:?}\nours:\n{ours}\nclush's:\n{theirs}");
}

#[test]
fn stderr_comes_line_by_line_beside_the_blocks() {
    let Some(fleet) = Fleet::start() else { return };
    let ran = fleet.run(&["run", "--hosts", "node[1-3]", "--gather", "echo out; echo err >&2"]);
    assert_eq!(ran.stdout, "---------------\nnode[1-3] (3)\n---------------\nout\n");
    let mut errors: Vec<&str> = ran.stderr.lines().collect();
    errors.sort_unstable();
    assert_eq!(errors, ["node1: err", "node2: err", "node3: err"]);
}

#[test]
fn a_diff_is_against_what_most_hosts_wrote() {
    let Some(fleet) = Fleet::start() else { return };
    let command = on_each("echo first; [ $n = 3 ] && echo third; echo last; [ $n -gt 7 ] && echo more; true");
    let ran = fleet.run(&["run", "--diff", &command]);
    let most = "--- node[1,3-6] (5)\n";
    let more = "+++ node[7-8] (2)\n@@ -1,2 +1,3 @@\n first\n last\n+more\n";
    let third = "+++ node2\n@@ -1,2 +1,3 @@\n first\n+third\n last\n";
    let expected = format!("{most}{more}{most}{third}");
    assert!(ran.stdout == expected, "{}", ran.stdout);
    if let Some(clush) = clush(&fleet, &["--diff", &command]) {
        assert!(ran.stdout == clush.stdout, "ours:\n{}\nclush's:\n{}", ran.stdout, clush.stdout);
    }
    let command = on_each("[ $n = 3 ] && exit 1; echo $n | tr 2-9 x; [ $n = 4 ] && echo y; exit 1");
    let ran = fleet.run(&["run", "--diff", &command]);
    let most = "--- node[1,4-8] (6)\n";
    let expected = format!("{most}+++ node3\n@@ -1 +1,2 @@\n x\n+y\n{most}+++ node2\n@@ -1 +0,0 @@\n-x\n");
    assert!(ran.stdout == expected, "{}", ran.stdout);
    if let Some(clush) = clush(&fleet, &["--diff", &command]) {
        assert!(ran.stdout == clush.stdout, "ours:\n{}\nclush's:\n{}", ran.stdout, clush.stdout);
    }
    // clush holds all against those that ended best, and not against most.
    let ran = fleet.run(&["run", "--diff", &on_each("echo $n | tr 2-9 x; [ $n = 2 ] && { echo y; exit 0; }; exit 1")]);
    assert_eq!(ran.stdout, "--- node[2-8] (7)\n+++ node1\n@@ -1 +1,2 @@\n x\n+y\n");
    assert_eq!(fleet.run(&["run", "--diff", "echo same"]).stdout, "");
    // Bytes that are no text differ, too.
    let odd = fleet.run(&["run", "--diff", &on_each(r"[ $n = 2 ] && printf 'caf\351\n' || printf 'caf\350\n'")]);
    assert_eq!(odd.stdout.lines().skip(3).collect::<Vec<_>>(), ["-caf\\xe8", "+caf\\xe9"]);
}
