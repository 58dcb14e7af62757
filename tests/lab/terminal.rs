use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::lab::Lab;
use crate::ran::Ran;

/// `kfleet` on a terminal of its own, of 24 lines and 100 columns, made by script(1) in a session of its own.
pub struct Terminal {
    child: Child,
    /// What it shows, read as it comes: nobody who draws on a terminal waits for a test.
    shown: Receiver<Vec<u8>>,
    /// What it has shown so far, as far as it was read.
    pub seen: String,
}

impl Terminal {
    pub fn of(lab: &Lab, arguments: &[&str]) -> Self {
        Self::with(lab, arguments, &[])
    }

    /// With these variables in its environment, beside those of the lab.
    pub fn with(lab: &Lab, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let kfleet = lab.kfleet(arguments);
        let words = [kfleet.get_program()].into_iter().chain(kfleet.get_args());
        let words: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let line = format!("stty rows 24 cols 100; exec {}", words.join(" "));
        // Without a wait: once script is killed, so is what setsid would wait for.
        let mut script = Command::new("setsid");
        script.args(["script", "--quiet", "--return", "--flush", "--echo", "never", "--command", &line, "/dev/null"]);
        for (name, value) in kfleet.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.env_remove("NO_COLOR").env("TERM", "xterm").envs(variables.iter().copied());
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut stdout, (tell, shown)) = (child.stdout.take().unwrap(), channel());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut bytes) {
                // A terminal that nobody looks at any more is read on all the same.
                let _ = tell.send(bytes[..read].to_vec());
            }
        });
        Self { child, shown, seen: String::new() }
    }

    /// Reads on until this is seen.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let more = self.shown.recv().unwrap_or_default();
            assert!(!more.is_empty(), "{text:?} was not seen in {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
    }

    pub fn types(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Closes it at once, as a lost connection to the workstation does.
    pub fn close(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// All that was seen, where it exits with this.
    #[track_caller]
    pub fn exits(mut self, code: i32) -> String {
        for more in &self.shown {
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        let code_then = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran { code: code_then, stdout: self.seen, stderr: String::new() }.exits(code).stdout
    }
}
