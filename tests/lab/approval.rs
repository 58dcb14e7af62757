//! What `up` asks at a terminal before it changes anything.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use crate::lab::Lab;

/// `kfleet` on a terminal of its own, by script(1).
struct Terminal {
    child: Child,
    seen: String,
}

impl Terminal {
    fn of(lab: &Lab, arguments: &[&str]) -> Self {
        let kfleet = lab.kfleet(arguments);
        let words = [kfleet.get_program()].into_iter().chain(kfleet.get_args());
        let line: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--flush", "--command", &line.join(" "), "/dev/null"]);
        script.envs(kfleet.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.env_remove("NO_COLOR").env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
        Self { child: script.spawn().unwrap(), seen: String::new() }
    }

    /// Reads on until this is seen.
    fn until(&mut self, text: &str) {
        let mut bytes = [0; 4096];
        while !self.seen.contains(text) {
            let read = self.child.stdout.as_mut().unwrap().read(&mut bytes).unwrap();
            assert!(read > 0, "{text:?} was not seen in {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }

    fn types(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// All that was seen, where it exits with this.
    fn exits(mut self, code: i32) -> String {
        self.child.stdout.as_mut().unwrap().read_to_string(&mut self.seen).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{}", self.seen);
        self.seen
    }
}

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
