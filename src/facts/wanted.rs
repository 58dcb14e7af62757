use std::collections::BTreeSet;

/// What a probe is asked to read beside what it always reads. Those of all steps are merged into one script a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Absolute paths of files to read whole.
    pub files: BTreeSet<String>,
    /// Sysctl keys, as `net.ipv4.ip_forward`.
    pub sysctls: BTreeSet<String>,
    /// Modules to look for.
    pub modules: BTreeSet<String>,
    /// firewalld zones.
    pub zones: BTreeSet<String>,
    /// Detached jobs of kfleet's.
    pub jobs: BTreeSet<String>,
}

impl Wanted {
    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.files.extend(other.files);
        self.sysctls.extend(other.sysctls);
        self.modules.extend(other.modules);
        self.zones.extend(other.zones);
        self.jobs.extend(other.jobs);
        self
    }
}
