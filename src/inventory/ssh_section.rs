use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use toml::Spanned;

use super::model::{ConfigFile, Ssh};
use super::names::{jump, user};
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
    jump: Option<Vec<String>>,
    config: Option<ConfigFile>,
}

/// Reads `[ssh]`, where somebody must be named who logs in unless the workstation knows.
pub(super) fn read_defaults(section: Section<'_>, workstation: &Workstation, directory: &Path) -> SshSection {
    if workstation.user.is_none() && !section.has("user") {
        section.missing("user", "who logs in? this machine does not say who you are: `[ssh]` with `user = \"root\"`");
    }
    read(section, workstation, directory)
}

/// Reads `ssh` of a host; paths are resolved against the inventory's `directory`.
pub(super) fn read(mut section: Section<'_>, workstation: &Workstation, directory: &Path) -> SshSection {
    let path = |text: &str| workstation.resolve(directory, text);
    let read = SshSection {
        user: section.parse("user", user).map(Spanned::into_inner),
        port: section.port("port"),
        identities: one_or_more(&mut section, "identities", path),
        known_hosts: one_or_more(&mut section, "known_hosts", path),
        connect_timeout: section.parse("connect_timeout", timeout).map(Spanned::into_inner),
        jump: one_or_more(&mut section, "jump", jump),
        config: config(&mut section, path),
    };
    section.finish();
    read
}

/// One of them, or a list.
fn one_or_more<T>(
    section: &mut Section<'_>,
    key: &'static str,
    read: impl Fn(&str) -> Result<T, Complaint>,
) -> Option<Vec<T>> {
    let item = section.item(key)?;
    let items = if item.is_string() { vec![item] } else { item.items() };
    Some(items.iter().filter_map(|item| item.parse(&read)).map(Spanned::into_inner).collect())
}

/// A path, or `false`.
fn config(section: &mut Section<'_>, path: impl Fn(&str) -> Result<PathBuf, Complaint>) -> Option<ConfigFile> {
    let item = section.item("config")?;
    if item.is_string() {
        return item.parse(path).map(|path| ConfigFile::At(path.into_inner()));
    }
    item.refused("a path or `false`").then_some(ConfigFile::Nothing)
}

impl SshSection {
    /// This over `base`.
    pub(super) fn over(&self, base: &Self) -> Ssh {
        Ssh {
            user: self.user.as_ref().or(base.user.as_ref()).cloned(),
            port: self.port.or(base.port),
            identities: self.identities.as_ref().or(base.identities.as_ref()).cloned().unwrap_or_default(),
            known_hosts: self.known_hosts.as_ref().or(base.known_hosts.as_ref()).cloned().unwrap_or_default(),
            connect_timeout: self.connect_timeout.or(base.connect_timeout),
            jump: self.jump.as_ref().or(base.jump.as_ref()).cloned(),
            config: self.config.as_ref().or(base.config.as_ref()).cloned(),
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
