//! Ansible's inventories, as INI and as YAML.

mod groups;
mod host_range;
mod ini;
mod variables;
mod yaml;

pub(super) use ini::read as read_ini;
pub(super) use yaml::read as read_yaml;
