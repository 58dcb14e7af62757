use std::collections::BTreeSet;

use ipnet::IpNet;

use super::probe;

/// What a probe is asked to read beside what it always reads. Those of all steps are merged into one script a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Absolute paths of files to read whole.
    pub files: BTreeSet<String>,
    /// Sysctl keys, as `net.ipv4.ip_forward`.
    pub sysctls: BTreeSet<String>,
    /// Modules to look for.
    pub modules: BTreeSet<String>,
    /// firewalld zones. All of them come in one answer, whichever are asked for.
    pub zones: BTreeSet<String>,
    /// Detached jobs of kfleet's.
    pub jobs: BTreeSet<String>,
    /// Paths of which only matters whether anything is there; `~/` is the home of who logs in.
    pub places: BTreeSet<String>,
    /// Where pods get their addresses, if [`Remains`](super::Remains) are to be told.
    pub remains: Option<IpNet>,
    /// Whether to look for what a change of address has put aside.
    pub backups: bool,
    /// Whether to look where addresses stand, in files, certificates, etcd and ConfigMaps.
    pub traces: bool,
}

impl Wanted {
    /// One script that reads all of this and what is always read: for `/bin/sh` as root, with a deadline of half a minute.
    ///
    /// It changes nothing, takes about a second on a healthy host, and is safe on stdin. Its stdout goes to
    /// [`Facts::parse`](super::Facts::parse) with the same `nonce`: a word of letters and digits that nobody can guess.
    #[must_use]
    pub fn script(&self, nonce: &str) -> String {
        probe::host_script(self, nonce)
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.files.extend(other.files);
        self.sysctls.extend(other.sysctls);
        self.modules.extend(other.modules);
        self.zones.extend(other.zones);
        self.jobs.extend(other.jobs);
        self.places.extend(other.places);
        self.remains = self.remains.or(other.remains);
        self.backups |= other.backups;
        self.traces |= other.traces;
        self
    }
}
