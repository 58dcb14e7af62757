//! The lock's script, by this machine's `/bin/sh`.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::engine::lock::script;
use crate::events::Holder;

struct Contender {
    shell: Child,
    signs: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Contender {
    fn script(file: &Path, user: &str) -> String {
        let holder = Holder {
            user: user.to_owned(),
            workstation: "desk".to_owned(),
            command: "up".to_owned(),
            since: "2026-01-02T03:04:05Z".parse().unwrap(),
            run: Some(7),
        };
        script(file.to_str().unwrap(), "n0nce", Duration::from_secs(2), &holder)
    }

    fn new(file: &Path, user: &str) -> Self {
        let text = Self::script(file, user);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &text]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().unwrap();
        let (signs, lines) = (shell.stdin.take(), BufReader::new(shell.stdout.take().unwrap()).lines());
        Self { shell, signs, lines }
    }

    fn says(&mut self, sign: &str) {
        self.signs.as_mut().unwrap().write_all(sign.as_bytes()).unwrap();
    }

    fn word(&mut self) -> String {
        let word = |line: String| line.strip_prefix("n0nce ").map(str::to_owned);
        self.lines.by_ref().find_map(|line| word(line.unwrap())).unwrap_or_else(|| "(ended)".to_owned())
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

/// At the end of its input it ends, and only then is the lock free.
impl Drop for Contender {
    fn drop(&mut self) {
        self.signs = None;
        self.shell.wait().unwrap();
    }
}

#[test]
fn one_at_a_time_and_who_is_refused_hears_who_it_is() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("kfleet/lock");
    let mut first = Contender::new(&file, "it's me");
    assert_eq!((first.word(), first.line()), ("free".to_owned(), String::new()));
    first.says("k");
    assert_eq!(first.word(), "held");
    first.says(".");
    assert_eq!(first.word(), "beat");
    let mut second = Contender::new(&file, "other");
    assert_eq!(second.word(), "refused");
    let told: Holder = serde_json::from_str(&second.line()).unwrap();
    assert_eq!((told.user.as_str(), told.run), ("it's me", Some(7)));
    assert_eq!(second.word(), "(ended)");

    // What it says of its last holder stays when that one lets go.
    first.signs = None;
    assert_eq!(first.word(), "(ended)");
    let mut third = Contender::new(&file, "other");
    assert_eq!(third.word(), "free");
    assert_eq!(serde_json::from_str::<Holder>(&third.line()).unwrap(), told);
}

#[test]
fn it_is_free_when_its_holder_is_killed_or_falls_silent() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("lock");
    for kill in [true, false] {
        let mut first = Contender::new(&file, "first");
        assert_eq!(first.word(), "free");
        first.says("k");
        assert_eq!(first.word(), "held");
        let since = Instant::now();
        if kill {
            first.shell.kill().unwrap();
            first.shell.wait().unwrap();
        }
        while Contender::new(&file, "second").word() != "free" {
            assert!(since.elapsed() < Duration::from_secs(20), "it is never let go of");
        }
        assert!(kill || since.elapsed() > Duration::from_secs(1), "silence is borne for a while");
    }
}

#[test]
fn a_lock_that_cannot_be_taken_is_not_held_by_anybody() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("lock");
    let flock = |text: Option<&str>| {
        let bin = temp.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let link = |name: &str| std::os::unix::fs::symlink(format!("/usr/bin/{name}"), bin.join(name));
        let _ = ["timeout", "head", "mkdir"].map(link);
        if let Some(text) = text {
            std::fs::write(bin.join("flock"), format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(bin.join("flock"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let text = Contender::script(&file, "bob")
            .replace(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "");
        let ran = Command::new("/bin/sh").args(["-c", &text]).env("PATH", &bin).output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap())
    };
    let failed = |complaint: &str| (Some(1), String::new(), complaint.to_owned());
    assert_eq!(flock(None), failed("there is no flock on this host\n"));
    assert_eq!(flock(Some("exit 71")), failed("flock failed with exit status 71\n"));
    assert_eq!(flock(Some("exit 1")).1, "\nn0nce refused\n\n");
}
