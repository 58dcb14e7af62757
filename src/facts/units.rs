use std::collections::BTreeMap;

use super::frames::{Frames, decode};
use super::probe::job_unit;
use super::{Job, Unit};

/// What systemd says of units, by every name that they have.
#[derive(Debug, Default)]
pub(super) struct Units {
    by_name: BTreeMap<String, (Unit, bool)>,
}

impl Units {
    /// `systemctl show` answers a block of `Key=value` lines a unit.
    pub(super) fn read(frames: &Frames<'_>) -> Self {
        let mut units = Self::default();
        for block in frames.anything_said("units").split("\n\n") {
            let value =
                |key: &str| block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or("");
            let unit = Unit {
                exists: !matches!(value("LoadState"), "" | "not-found"),
                enabled: value("UnitFileState").starts_with("enabled"),
                // Between two crashes a unit is "activating".
                active: matches!(value("ActiveState"), "active" | "reloading"),
            };
            let busy = unit.active || matches!(value("ActiveState"), "activating" | "deactivating");
            units.by_name.extend(value("Names").split_whitespace().map(|name| (name.to_owned(), (unit, busy))));
        }
        units
    }

    /// One that there is nothing to be said of does not exist.
    pub(super) fn get(&self, name: &str) -> Unit {
        self.by_name.get(name).copied().unwrap_or_default().0
    }

    /// Whether it runs, is about to, or is not at its end yet: a oneshot that runs is "activating".
    fn busy(&self, name: &str) -> bool {
        self.by_name.get(name).copied().unwrap_or_default().1
    }
}

/// kfleet's detached jobs that have begun.
pub(super) fn jobs(frames: &Frames<'_>, units: &Units) -> BTreeMap<String, Job> {
    frames
        .of("job")
        .map(|(name, frame)| {
            let name = decode(name);
            // A status beside a running unit is that of the attempt before.
            let job = if units.busy(&job_unit(&name)) {
                Job::Running
            } else {
                frame.text().trim().parse().map_or(Job::Lost, Job::Finished)
            };
            (name, job)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Units, jobs};
    use crate::facts::frames::Frames;
    use crate::facts::{Job, Unit};

    const UNITS: &str = "
n said units 0
Names=kubelet.service
LoadState=loaded
ActiveState=activating
UnitFileState=enabled

Names=containerd.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Names=docker.service
LoadState=not-found
ActiveState=inactive
UnitFileState=

Names=crio.service cri-o.service
LoadState=loaded
ActiveState=failed
UnitFileState=disabled

Names=kfleet-init.service
LoadState=loaded
ActiveState=activating
UnitFileState=transient

";

    #[test]
    fn a_unit_is_known_by_all_its_names() {
        let output = format!("{UNITS}n probe - end\n");
        let units = Units::read(&Frames::split(output.as_bytes(), "n").unwrap());
        for (name, exists, enabled, active) in [
            ("kubelet.service", true, true, false),
            ("docker.service", false, false, false),
            ("containerd.service", true, true, true),
            ("crio.service", true, false, false),
            ("cri-o.service", true, false, false),
            ("kfleet-init.service", true, false, false),
            ("never-asked.service", false, false, false),
        ] {
            assert_eq!(units.get(name), Unit { exists, enabled, active }, "{name}");
        }
    }

    #[test]
    fn a_job_runs_or_has_ended_or_was_lost() {
        let output = format!(
            "{UNITS}n job init there\n1\n\nn job join there\n0\n\nn job reset there\n137\nn job torn there\n\nn probe - end\n"
        );
        let frames = Frames::split(output.as_bytes(), "n").unwrap();
        let jobs: Vec<_> = jobs(&frames, &Units::read(&frames)).into_iter().collect();
        let expected =
            [("init", Job::Running), ("join", Job::Finished(0)), ("reset", Job::Finished(137)), ("torn", Job::Lost)];
        assert_eq!(jobs, expected.map(|(name, job)| (name.to_owned(), job)));
    }
}
