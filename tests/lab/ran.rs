use std::process::Output;

use serde_json::Value;

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    /// -1 where a signal ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// Stops the test unless the command exited with `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// The lines of `--json`, each of which must be an object.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        self.stdout.lines().map(event).collect()
    }

    /// The events of one kind, such as `host-failed`.
    #[track_caller]
    pub fn events_of(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["event"] == kind).collect()
    }

    /// What was changed, as `h1 hosts-file`, in order of host and time.
    #[track_caller]
    pub fn changed(&self) -> Vec<String> {
        let mut changed: Vec<_> =
            self.events_of("step-changed").iter().map(|event| words(event, &["host", "step"])).collect();
        changed.sort_by(|a, b| a.split(' ').next().cmp(&b.split(' ').next()));
        changed
    }

    /// What a plan says would be changed, likewise.
    #[track_caller]
    pub fn would_change(&self) -> Vec<String> {
        let finished = self.events_of("plan-finished");
        let tallies = finished[0]["tallies"].as_array().unwrap();
        let of_host = |tally: &Value| {
            let (host, steps) = (tally["host"].clone(), tally["changed"].as_array().unwrap().clone());
            steps.into_iter().map(move |step| format!("{} {}", host.as_str().unwrap(), step.as_str().unwrap()))
        };
        tallies.iter().flat_map(of_host).collect()
    }

    /// Stops the test if anything was changed.
    #[track_caller]
    pub fn nothing_changed(&self) {
        assert!(self.changed().is_empty(), "{self}");
    }

    /// The checks of preflight that found something, as `error machine-id-twice` or `warning swap h2`.
    #[track_caller]
    pub fn problems(&self) -> Vec<String> {
        let problems = self.events_of("problem-found");
        problems.iter().map(|event| words(event, &["severity", "check", "host"])).collect()
    }

    /// The hosts that failed and why, as `h3 unreachable: the host key of …`.
    #[track_caller]
    pub fn failed(&self) -> Vec<String> {
        let failed = self.events_of("host-failed");
        let say = |event: &Value| {
            let failure = &event["failure"];
            format!("{}: {}", words(event, &["host"]) + " " + &words(failure, &["kind"]), words(failure, &["reason"]))
        };
        failed.iter().map(say).collect()
    }
}

fn words(event: &Value, keys: &[&str]) -> String {
    keys.iter().filter_map(|key| event[*key].as_str()).collect::<Vec<_>>().join(" ")
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
