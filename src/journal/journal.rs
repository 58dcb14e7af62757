use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::events::{Event, Outcome};

use super::Entry;

/// The runs on one cluster, in a directory of their own.
pub struct Journal {
    directory: PathBuf,
}

/// A run as a list shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Counts up from 1; older runs than the last hundred are gone.
    pub number: u32,
    /// When it began; `None` where nothing of it was written.
    pub began: Option<Timestamp>,
    /// The command, as `up`.
    pub command: String,
    /// How many hosts it was about.
    pub hosts: usize,
    /// How many steps changed something.
    pub changed: usize,
    /// How it ended; `None` where it was cut off, or still goes on.
    pub outcome: Option<Outcome>,
}

impl Journal {
    /// Runs that are kept.
    const KEPT: usize = 100;

    /// The runs in this directory, which need not exist yet.
    #[must_use]
    pub fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// A number and a file, 0600, for the run that begins now; the oldest one too many goes.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin(&self) -> io::Result<(u32, File)> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let mut numbers = self.numbers()?;
        let mut number = numbers.last().map_or(1, |last| last + 1);
        let file = loop {
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path(number)) {
                // Another run of the same moment took it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                made => break made?,
            }
        };
        // The file's name survives a power cut as well as what is in it; where that cannot be, it may not.
        let _ = File::open(&self.directory).and_then(|directory| directory.sync_all());
        numbers.push(number);
        for old in numbers.iter().rev().skip(Self::KEPT) {
            // The next run tries again.
            let _ = fs::remove_file(self.path(*old));
        }
        Ok((number, file))
    }

    /// All runs, the oldest first.
    ///
    /// # Errors
    /// When the directory or a file in it is there and cannot be read.
    pub fn list(&self) -> io::Result<Vec<Listed>> {
        self.numbers()?.into_iter().map(|number| Ok(listed(number, &self.read(number)?.unwrap_or_default()))).collect()
    }

    /// What happened in a run, in order; `None` where there is none of this number.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(&self, number: u32) -> io::Result<Option<Vec<Entry>>> {
        let file = match File::open(self.path(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut entries = Vec::new();
        for line in BufReader::new(file).split(b'\n') {
            // The last line of a run that was cut off may be half a line; a newer kfleet's events are left out.
            entries.extend(serde_json::from_slice::<Entry>(&line?).ok());
        }
        Ok(Some(entries))
    }

    fn numbers(&self) -> io::Result<Vec<u32>> {
        let names = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            names => names?,
        };
        let number = |name: &str| name.strip_suffix(".jsonl")?.parse::<u32>().ok();
        let mut numbers = Vec::new();
        for name in names {
            numbers.extend(name?.file_name().to_str().and_then(number));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.directory.join(format!("{number}.jsonl"))
    }
}

fn listed(number: u32, entries: &[Entry]) -> Listed {
    let began = entries.first().map(|entry| entry.time);
    let mut listed = Listed { number, began, command: String::new(), hosts: 0, changed: 0, outcome: None };
    for entry in entries {
        match &entry.event {
            Event::RunStarted { command, hosts, .. } => {
                listed.command.clone_from(command);
                listed.hosts = hosts.len();
            }
            Event::StepChanged { .. } => listed.changed += 1,
            Event::RunFinished { outcome, .. } | Event::PlanFinished { outcome, .. } => listed.outcome = Some(*outcome),
            _ => {}
        }
    }
    listed
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;
    use std::time::Duration;

    use super::Journal;
    use crate::events::{Event, Outcome, Sink, Tally, channel};
    use crate::journal::Recorder;

    fn run() -> Vec<Event> {
        let tally = Tally { changed: vec!["kernel".to_owned()], took: Duration::from_millis(1500), ..Tally::default() };
        vec![
            Event::RunStarted { command: "up".into(), cluster: "lab".into(), hosts: vec!["h1".into(), "h2".into()] },
            Event::InterruptReceived { waiting_for: vec![("h1".into(), "kubeadm init".into())] },
            Event::StepChanged {
                host: "h1".into(),
                step: "kernel".into(),
                diff: vec![],
                took: Duration::from_millis(12),
            },
            Event::RunFinished {
                outcome: Outcome::Succeeded,
                tallies: vec![("h1".into(), tally)],
                took: Duration::from_secs(2),
            },
        ]
    }

    #[test]
    fn a_run_is_read_as_it_was_told() {
        let temp = tempfile::tempdir().unwrap();
        let journal = Journal::at(temp.path().join("lab/runs"));
        assert!(journal.list().unwrap().is_empty());
        let (events, mut told) = channel();
        let recorder: Arc<dyn Sink> = Arc::new(Recorder::new(journal.begin().unwrap().1, events));
        run().into_iter().for_each(|event| recorder.tell(event));
        drop(recorder);
        for entry in journal.read(1).unwrap().unwrap() {
            assert_eq!(format!("{:?}", entry.event), format!("{:?}", told.try_recv().unwrap()));
        }
        assert!(told.try_recv().is_err(), "all of it was read again");
        let listed = &journal.list().unwrap()[0];
        assert_eq!((listed.command.as_str(), listed.hosts, listed.changed), ("up", 2, 1));
        assert_eq!(listed.outcome, Some(Outcome::Succeeded));
        let mode = temp.path().join("lab/runs/1.jsonl").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_run_that_was_cut_off_is_read_as_far_as_it_went() {
        let temp = tempfile::tempdir().unwrap();
        let journal = Journal::at(temp.path().to_owned());
        let (_, mut file) = journal.begin().unwrap();
        let line =
            r#"{"time":"2026-01-02T03:04:05Z","event":"run-started","command":"up","cluster":"lab","hosts":["h1"]}"#;
        file.write_all(format!("{line}\n{}", &line[..40]).as_bytes()).unwrap();
        let listed = &journal.list().unwrap()[0];
        assert_eq!((listed.command.as_str(), listed.outcome), ("up", None));
        assert_eq!(journal.read(1).unwrap().unwrap().len(), 1);
        assert!(journal.read(7).unwrap().is_none());
    }

    #[test]
    fn the_oldest_of_too_many_goes() {
        let temp = tempfile::tempdir().unwrap();
        let journal = Journal::at(temp.path().to_owned());
        for _ in 0..Journal::KEPT + 2 {
            journal.begin().unwrap();
        }
        let numbers: Vec<u32> = journal.list().unwrap().iter().map(|run| run.number).collect();
        assert_eq!((numbers.first(), numbers.last(), numbers.len()), (Some(&3), Some(&102), 100));
    }
}
