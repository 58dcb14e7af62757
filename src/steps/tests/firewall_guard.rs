//! The guard's scripts, by this machine's `/bin/sh` with systemd in its place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::steps::RunScript;
use crate::steps::firewall_guard::{arm, disarm};

/// Notes what it is called with.
const STUB: &str = "#!/bin/sh\necho \"${0##*/} $*\" >> \"$CALLS\"\n";

struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        for program in ["systemctl", "systemd-run", "firewall-cmd"] {
            fs::write(host.path(program), STUB).unwrap();
            fs::set_permissions(host.path(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        host
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Runs it with everything of /run/kfleet in a directory of the test's own; whether it went well.
    fn run(&self, script: &str) -> bool {
        let own = |path: &Path| path.to_str().unwrap().to_owned();
        let script = format!("set -eu\n{}", script.replace("/run/kfleet", &own(&self.path("run"))));
        let path = format!("{}:/usr/bin:/bin", own(self.0.path()));
        let mut shell = Command::new("/bin/sh");
        let shell = shell.args(["-c", &script]).env("PATH", path).env("CALLS", self.path("calls"));
        shell.output().unwrap().status.success()
    }

    fn does(&self, run: &RunScript) -> bool {
        self.run(&run.script)
    }

    /// What systemd runs when the time is up.
    fn time_is_up(&self) -> bool {
        let script = arm(&[]).script;
        let (_, command) = script.rsplit_once("/bin/sh -c '").unwrap();
        self.run(command.trim_end().trim_end_matches('\''))
    }

    fn firewall_calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().filter(|call| call.starts_with("firewall-cmd")).map(str::to_owned).collect()
    }
}

fn undo() -> Vec<String> {
    vec!["firewall-cmd --zone=public --add-port=22/tcp".to_owned()]
}

#[test]
fn either_the_host_is_told_that_all_is_well_or_it_puts_the_firewall_back() {
    let host = Host::new();
    assert!(host.does(&arm(&undo())) && host.does(&disarm()));
    assert!(!host.time_is_up(), "there is nothing left to do");
    assert_eq!(host.firewall_calls(), [""; 0]);

    let host = Host::new();
    assert!(host.does(&arm(&undo())) && host.time_is_up());
    assert_eq!(host.firewall_calls(), undo());
    assert!(!host.does(&disarm()), "who comes too late is told");
}

#[test]
fn what_is_still_armed_is_done_before_the_next() {
    let host = Host::new();
    assert!(host.does(&arm(&undo())) && host.does(&arm(&["firewall-cmd --zone=public --add-port=80/tcp".to_owned()])));
    assert_eq!(host.firewall_calls(), undo());
}
