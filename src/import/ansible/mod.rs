//! Ansible's inventories, as INI and as YAML.

mod groups;
mod host_range;
mod ini;
mod variables;
mod yaml;

pub(super) use ini::read as read_ini;
pub(super) use yaml::read as read_yaml;

use super::found::Notes;
use super::source::Source;

/// Variables that Ansible takes from beside an inventory.
pub(super) fn say_what_is_beside(source: Source<'_>, notes: &mut Notes) {
    let beside = source.file.parent().unwrap_or(std::path::Path::new(""));
    for directory in ["group_vars", "host_vars"] {
        if let (Some((at, _)), true) = (source.lines().next(), beside.join(directory).is_dir()) {
            notes.say(&at, format!("{directory}/ beside it is not read: what it says of hosts is left out"));
        }
    }
}
