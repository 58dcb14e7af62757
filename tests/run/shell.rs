use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::fleet::{Fleet, Ran};
use crate::sshd::kill;
use crate::terminal::Terminal;

/// `kfleet shell` with these lines on stdin, to its end.
pub fn batch(fleet: &Fleet, arguments: &[&str], lines: impl AsRef<[u8]>) -> Ran {
    let mut shell = fleet.kfleet(&[&["shell"], arguments].concat());
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(lines.as_ref()).unwrap();
    let output = shell.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { stdout: text(output.stdout), stderr: text(output.stderr), status: output.status.code() }
}

#[test]
fn a_batch_is_a_command_a_line_over_the_same_connections() {
    let Some(fleet) = Fleet::start() else { return };
    let lines = "# which connection\necho $PPID\n=\n-node[3-8]\necho one\n@worker\n- node[2-6]\ncat; echo two\n!echo three\n@\n+node1\ntrue";
    let ran = batch(&fleet, &[], lines);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    let rest = "---------------\nnode[1-2] (2)\n---------------\none\n---------------\nnode[7-8] (2)\n---------------\ntwo\nthree\n";
    let (first, gathered) = ran.stdout.split_at(ran.stdout.find("---").unwrap());
    assert_eq!(gathered, rest);
    let parents: Vec<&str> = first.lines().map(|line| line.split_once(": ").unwrap().1).collect();
    assert_eq!(parents.len(), 8);
    // The same process of sshd's serves a host's next command.
    let lines = "@node1\necho $PPID\necho $PPID";
    let ran = batch(&fleet, &[], lines);
    let parents: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(parents.len(), 2);
    assert_eq!(parents[0], parents[1]);
}

#[test]
fn a_batch_exits_with_the_worst_of_its_commands() {
    let Some(fleet) = Fleet::start() else { return };
    for (lines, status) in [
        ("true\nfalse\ntrue", 5),
        ("true\nquit\nfalse", 0),
        ("false\nsleep 60", 3),
        ("!false\ntrue", 1),
        ("@node99\necho never", 2),
        ("!kill -INT $PPID; sleep 0.2\n!echo never", 3),
    ] {
        // Only the one that is to run out of time has less than it may need.
        let limit = if status == 3 { "5" } else { "0" };
        let ran = batch(&fleet, &["--hosts", "node[1-2]", "-t", limit], lines);
        assert_eq!(ran.status, Some(status), "{lines}: {ran:?}");
        assert!(!ran.stdout.contains("never"));
    }
    let ran = batch(&fleet, &["--hosts", "node1"], b"echo one\necho caf\xe9\necho never\n");
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), "node1: one\n"));
    assert_eq!(ran.stderr, "kfleet: cannot read a line: line 2 of stdin is not UTF-8\n");
    // What ended too late is not there for the next command to fall over, and the connection is.
    let ran = batch(&fleet, &["--hosts", "node1", "-t", "10"], "echo $PPID\nsleep 60\necho $PPID");
    let parents: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(parents.len(), 2, "{ran:?}");
    assert_eq!(parents[0], parents[1]);
}

#[test]
fn a_person_types_at_a_prompt() {
    let Some(fleet) = Fleet::start() else { return };
    let Some(mut terminal) = Terminal::start(&fleet, &["shell", "--hosts", "node[1-4]"]) else { return };
    terminal.sees("node[1-4]> ");
    terminal.press("echo h''ello\r");
    for _ in 0..4 {
        terminal.sees("hello");
    }
    terminal.sees("node[1-4]> ");
    terminal.press("-node4\r");
    terminal.sees("node[1-3]> ");
    terminal.press("-node9\r");
    terminal.sees("there is no host node9");
    terminal.sees("node[1-3]> ");
    // Ctrl-C ends the command on all hosts, and not the shell.
    terminal.press("echo pid $$; exec sleep 600\r");
    let mut shells = Vec::new();
    terminal.sees("exec sleep 600");
    for _ in 0..3 {
        terminal.sees(": ");
        let pid = terminal.sees("\n");
        shells.push(pid.trim_start_matches("\x1b[0mpid ").trim().to_owned());
    }
    terminal.press("\x03");
    terminal.sees("ending what runs on node[1-3]");
    terminal.sees("node[1-3]: interrupted");
    terminal.sees("node[1-3]> ");
    for shell in shells {
        assert!(shell.parse::<u32>().is_ok() && !fs::exists(format!("/proc/{shell}")).unwrap(), "{shell:?}");
    }
    // A connection that is lost is made again, and that is said.
    fleet.sshd.connections().into_iter().for_each(kill);
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.press("echo b''ack\r");
    terminal.sees("node[1-3]: the connection was lost; connecting again");
    for _ in 0..3 {
        terminal.sees("back");
    }
    terminal.sees("node[1-3]> ");
    // The last line but two, by the arrow key; then half a line, given up.
    terminal.press("\x1b[A\r");
    terminal.sees("back");
    terminal.sees("node[1-3]> ");
    terminal.press("rm -r\x03");
    terminal.sees("node[1-3]> ");
    // A command on this machine, too, is ended without the shell.
    terminal.press("!echo o''n; exec sleep 600\r");
    terminal.sees("on\r\n");
    terminal.press("\x03");
    terminal.sees("on this machine: signal: 2");
    terminal.sees("node[1-3]> ");
    terminal.press("?\r");
    terminal.sees("selected: node[1-3] (3)");
    terminal.sees("node[1-3]> ");
    terminal.press("\x04");
    let (screen, status) = terminal.end();
    assert_eq!(status, Some(0), "{}", String::from_utf8_lossy(&screen));
    let history = fleet.path(".local/state/kfleet/shell/history");
    let kept = fs::read_to_string(&history).unwrap();
    assert!(kept.contains("echo h''ello") && !kept.contains("rm -r"), "{kept}");
    assert_eq!(history.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}
