use crate::base::told;
use crate::events::Severity;
use crate::inventory::{Inventory, Role};

/// Something that a person should know before, or that stops a host or the run. Safe for a terminal, and without
/// tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The host's name in the inventory; `None` where it concerns the fleet.
    pub host: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Which check found it, in kebab-case.
    pub check: &'static str,
    /// What is the matter, a fragment without a full stop.
    pub reason: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What a finding stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stops {
    /// Nothing.
    Nothing,
    /// This worker; the others go on.
    Host(String),
    /// Everything, before the first write.
    Run,
}

impl Finding {
    /// Of one host, by its name in the inventory.
    #[must_use]
    pub fn of_host(host: &str, severity: Severity, check: &'static str, reason: impl AsRef<str>) -> Self {
        Self { host: Some(host.to_owned()), ..Self::of_fleet(severity, check, reason) }
    }

    /// Of the fleet as a whole.
    #[must_use]
    pub fn of_fleet(severity: Severity, check: &'static str, reason: impl AsRef<str>) -> Self {
        Self { host: None, severity, check, reason: told(reason.as_ref()), hint: None }
    }

    /// Nothing was heard of the control plane, on which all hangs.
    #[must_use]
    pub fn of_missing_control_plane(inventory: &Inventory) -> Self {
        let name = &inventory.control_plane().name;
        let reason = format!("{name} was not reached: without the control plane nothing can be done");
        Self::of_fleet(Severity::Error, "control-plane", reason)
    }

    /// With what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(told(hint.as_ref()));
        self
    }

    /// What it stops: a worker's own error that worker, every other error the run.
    #[must_use]
    pub fn stops(&self, inventory: &Inventory) -> Stops {
        if self.severity < Severity::Error {
            return Stops::Nothing;
        }
        let worker = self
            .host
            .as_ref()
            .filter(|name| inventory.hosts.iter().any(|host| host.name == **name && host.role == Role::Worker));
        worker.map_or(Stops::Run, |name| Stops::Host(name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, Stops};
    use crate::doctor::sample;
    use crate::events::Severity::{Error, Warning};

    #[test]
    fn a_workers_own_error_drops_that_worker_only() {
        let inventory = sample::inventory();
        for (finding, stops) in [
            (Finding::of_host("h2", Error, "c", "r"), Stops::Host("h2".into())),
            (Finding::of_host("h1", Error, "c", "r"), Stops::Run),
            (Finding::of_host("nobody", Error, "c", "r"), Stops::Run),
            (Finding::of_fleet(Error, "c", "r"), Stops::Run),
            (Finding::of_host("h1", Warning, "c", "r"), Stops::Nothing),
            (Finding::of_fleet(Warning, "c", "r"), Stops::Nothing),
        ] {
            assert_eq!(finding.stops(&inventory), stops, "{finding:?}");
        }
    }

    #[test]
    fn a_hosts_words_are_made_safe() {
        let finding = Finding::of_host("h2", Error, "c", "\x1b]0;x\x07").with_hint("abcdef.0123456789abcdef");
        assert_eq!((finding.reason.as_str(), finding.hint.as_deref()), ("]0;x", Some("abcdef.***")));
    }
}
