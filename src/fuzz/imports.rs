use std::path::Path;

use super::claims::{has_printable_lines, is_printable};
use super::inventory::{complains_well, workstation};
use crate::import::{ImportError, Kind, Notes, Source, import};
use crate::inventory::Inventory;

/// Hosts files of pssh.
pub fn pssh_hosts(data: &[u8]) {
    becomes_an_inventory(data, Kind::Pssh);
}

/// Ansible's inventories as INI.
pub fn ansible_ini(data: &[u8]) {
    becomes_an_inventory(data, Kind::AnsibleIni);
}

/// Ansible's inventories as YAML.
pub fn ansible_yaml(data: &[u8]) {
    becomes_an_inventory(data, Kind::AnsibleYaml);
}

/// Files of ssh_config, as far as they are read here and not by `ssh`.
pub fn ssh_config_file(data: &[u8]) {
    // This machine's files are not for a fuzzer to read.
    if !data.to_ascii_lowercase().windows(7).any(|word| word == b"include") {
        becomes_an_inventory(data, Kind::SshConfig);
    }
}

/// What comes of it means, read again, what it meant; and every word about it is fit for a terminal.
fn becomes_an_inventory(data: &[u8], kind: Kind) {
    let text = &String::from_utf8_lossy(data);
    let file = Path::new("no-such-directory/hosts");
    let _ = Kind::detect(file, text);
    let mut notes = Notes::default();
    let imported = import(Source { file, text }, kind, None, &workstation(), &mut notes);
    // For YAML a carriage return ends a line by itself.
    let lines = text.matches(['\n', '\r']).count() + 1;
    for note in notes.into_inner() {
        is_printable(&note.text);
        assert!((1..=lines).contains(&note.at.line), "{note:?}");
    }
    match imported {
        Ok(imported) => {
            let again = Inventory::parse(&imported.text, Path::new("inventory.toml"), &workstation());
            assert_eq!(again.as_ref(), Ok(&imported.inventory));
            has_printable_lines(&imported.text);
        }
        Err(ImportError::Invalid(error)) => complains_well(&error),
        Err(error) => has_printable_lines(&error.to_string()),
    }
}
