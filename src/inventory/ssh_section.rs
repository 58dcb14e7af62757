use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use toml::Spanned;

use super::model::Ssh;
use super::names::user;
use super::problem::Complaint;
use super::section::Section;
use super::workstation::Workstation;

/// `[ssh]`, or `ssh` of a host: what it says, without defaults.
#[derive(Debug, Default)]
pub(super) struct SshSection {
    user: Option<String>,
    port: Option<u16>,
    identities: Option<Vec<PathBuf>>,
    known_hosts: Option<Vec<PathBuf>>,
    connect_timeout: Option<Duration>,
}

/// Reads `[ssh]`, where somebody must be named who logs in unless the workstation knows.
pub(super) fn read_defaults(section: Section<'_>, workstation: &Workstation, directory: &Path) -> SshSection {
    if workstation.user.is_none() && !section.has("user") {
        section.missing("user", "who logs in? this machine does not say who you are: `[ssh]` with `user = \"root\"`");
    }
    let read = read(section, workstation, directory);
    SshSection { user: read.user.or_else(|| workstation.user.clone()), ..read }
}

/// Reads `ssh` of a host; paths are resolved against the inventory's `directory`.
pub(super) fn read(mut section: Section<'_>, workstation: &Workstation, directory: &Path) -> SshSection {
    let path = |text: &str| workstation.resolve(directory, text);
    let read = SshSection {
        user: section.parse("user", user).map(Spanned::into_inner),
        port: section.port("port"),
        identities: paths(&mut section, "identities", path),
        known_hosts: paths(&mut section, "known_hosts", path),
        connect_timeout: section.parse("connect_timeout", timeout).map(Spanned::into_inner),
    };
    section.finish();
    read
}

/// One path or a list of them.
fn paths(
    section: &mut Section<'_>,
    key: &'static str,
    path: impl Fn(&str) -> Result<PathBuf, Complaint>,
) -> Option<Vec<PathBuf>> {
    let item = section.item(key)?;
    let items = if item.is_string() { vec![item] } else { item.items() };
    Some(items.iter().filter_map(|item| item.parse(&path)).map(Spanned::into_inner).collect())
}

impl SshSection {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// This over `base`, and what neither says filled in.
    pub(super) fn over(&self, base: &Self) -> Ssh {
        Ssh {
            user: self.user.as_ref().or(base.user.as_ref()).cloned().unwrap_or_default(),
            port: self.port.or(base.port).unwrap_or(22),
            identities: self.identities.as_ref().or(base.identities.as_ref()).cloned().unwrap_or_default(),
            known_hosts: self.known_hosts.as_ref().or(base.known_hosts.as_ref()).cloned().unwrap_or_default(),
            connect_timeout: self.connect_timeout.or(base.connect_timeout).unwrap_or(Self::CONNECT_TIMEOUT),
        }
    }
}

/// `10s`, `1m30s` or `500ms`: more than nothing, at most an hour.
fn timeout(text: &str) -> Result<Duration, Complaint> {
    let hint = "such as \"10s\", \"1m30s\" or \"500ms\"";
    let read: SignedDuration =
        text.parse().map_err(|_| Complaint::new(format!("`{text}` is not a duration")).hint(hint))?;
    if read <= SignedDuration::ZERO || read > SignedDuration::from_hours(1) {
        return Err(Complaint::new(format!("`{text}` is no time to wait for a connection"))
            .hint("more than nothing and at most an hour, such as \"10s\""));
    }
    Ok(read.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::timeout;

    #[test]
    fn durations_are_written_as_people_do() {
        for (text, millis) in
            [("10s", 10_000), ("1m30s", 90_000), ("500ms", 500), ("2 minutes", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(timeout(text).unwrap().as_millis(), millis, "{text}");
        }
        for bad in ["", "10", "s", "-5s", "0s", "2h", "10 parsecs", "1d"] {
            assert!(timeout(bad).is_err(), "{bad}");
        }
    }
}
