use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::frames::Frames;

/// What a change of address has put aside on its control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// When.
    pub taken: Timestamp,
    /// How large its snapshot of etcd is, in bytes; `None` where etcd did not answer then.
    pub snapshot: Option<u64>,
    /// Where the API server was then.
    pub address: Option<IpAddr>,
}

/// Where they are.
const DIRECTORY: &str = "/var/lib/kfleet/reinit";
/// How a backup's name has the time, in UTC.
const NAME: &str = "backup-%Y%m%dT%H%M%SZ";

impl Backup {
    /// All of a control plane, the oldest first; `None` where nobody asked.
    pub(super) fn read(frames: &Frames<'_>) -> Option<Vec<Self>> {
        let text = frames.one("said", "backups")?.text();
        let mut backups: Vec<Self> = text.lines().filter_map(Self::parse).collect();
        backups.sort_by_key(|backup| backup.taken);
        Some(backups)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let taken = DateTime::strptime(NAME, words.next()?).ok()?;
        let taken = TimeZone::UTC.to_timestamp(taken).ok()?;
        let snapshot = words.next()?.parse().ok();
        Some(Self { taken, snapshot, address: words.next().and_then(|word| word.parse().ok()) })
    }

    /// Its directory's name, as `backup-20261127T013000Z`.
    #[must_use]
    pub fn name(&self) -> String {
        self.taken.strftime(NAME).to_string()
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{DIRECTORY}/{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Backup;
    use crate::facts::frames::Frames;

    fn read(said: &str) -> Option<Vec<Backup>> {
        Backup::read(&Frames::split(format!("{said}\nn probe - end\n").as_bytes(), "n").unwrap())
    }

    #[test]
    fn backups_come_by_age_and_nothing_else_is_one() {
        let backups = read(
            "\nn said backups 0\nbackup-20261127T013000Z 20512 10.88.0.11\nbackup-20261126T235959Z - \n\
             backup-20261127T013001Z 7 fd00::1\nbackup-2026; rm 1 2\nbackup-20261399T013000Z 1 10.0.0.1\n",
        );
        let told: Vec<String> = backups
            .unwrap()
            .iter()
            .map(|backup| format!("{} {} {:?} {:?}", backup.path(), backup.taken, backup.snapshot, backup.address))
            .collect();
        assert_eq!(
            told,
            [
                "/var/lib/kfleet/reinit/backup-20261126T235959Z 2026-11-26T23:59:59Z None None",
                "/var/lib/kfleet/reinit/backup-20261127T013000Z 2026-11-27T01:30:00Z Some(20512) Some(10.88.0.11)",
                "/var/lib/kfleet/reinit/backup-20261127T013001Z 2026-11-27T01:30:01Z Some(7) Some(fd00::1)",
            ]
        );
        assert_eq!(read(""), None);
    }
}
