//! Files of pssh, Ansible and ssh as inventories: each result is reviewed as a golden, and is what kfleet reads back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use kfleet::import::{Imported, Kind, Notes, Source, import};
use kfleet::inventory::{Inventory, Workstation};

fn workstation() -> Workstation {
    Workstation { user: Some("me".to_owned()), home: Some(PathBuf::from("/home/me")) }
}

fn imported(file: &Path, kind: Kind, text: &str, control_plane: Option<&str>) -> (Result<Imported, String>, String) {
    let mut notes = Notes::default();
    let source = Source { file, text };
    let imported = import(source, kind, control_plane, &workstation(), &mut notes).map_err(|error| error.to_string());
    let mut said = String::new();
    for note in notes.into_inner() {
        writeln!(said, "{}: {}", note.at, note.text).unwrap();
    }
    (imported, said)
}

#[test]
fn each_file_becomes_its_golden_inventory() {
    for (name, kind) in [
        ("pssh-hosts", Kind::Pssh),
        ("kubespray.ini", Kind::AnsibleIni),
        ("kubespray.yaml", Kind::AnsibleYaml),
        ("ssh/config", Kind::SshConfig),
    ] {
        let file = Path::new("tests/fixtures/import").join(name);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(Kind::detect(&file, &text), kind, "{name}");
        let (imported, said) = imported(&file, kind, &text, None);
        let imported = imported.unwrap_or_else(|error| panic!("{name}: {error}\n{said}"));
        let again = Inventory::parse(&imported.text, Path::new("inventory.toml"), &workstation()).unwrap();
        assert_eq!(again, imported.inventory, "{name}");
        insta::assert_snapshot!(name.replace('/', "-"), format!("{}\n=== said\n{said}", imported.text));
    }
}
