//! Takes hosts out of the inventory file on disk.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::inventory::{Inventory, Removal};

use super::exit::note;

/// Takes these hosts out of the file; tells what only a person can change.
///
/// # Errors
/// With what a person is told: the file cannot be read or written, or would be no inventory any more. It is as it was then.
pub(super) fn without(file: &Path, gone: &BTreeSet<String>) -> Result<(), String> {
    let told = |error: io::Error| format!("{}: {error}", file.display());
    // Where it is a link, what it leads to is written.
    let path = fs::canonicalize(file).map_err(told)?;
    let text = fs::read_to_string(&path).map_err(told)?;
    let removal = Removal::of(&text, gone);
    if !removal.removed.is_empty() {
        let valid = Inventory::parse(&removal.text, &path, &crate::inventory::Workstation::from_environment());
        if valid.is_err() {
            let names = removal.removed.join(", ");
            return Err(format!("{}: take {names} out of it by hand: it needs more than that", file.display()));
        }
        replace(&path, &removal.text).map_err(told)?;
        note(&format!("{} is without {} now", file.display(), removal.removed.join(", ")));
    }
    for line in &removal.by_hand {
        note(&format!(
            "{} line {}: `{}` still makes {}: change it to \"{}\", and the addresses with it",
            file.display(),
            line.line,
            line.text,
            line.leaving.join(", "),
            line.name
        ));
    }
    Ok(())
}

/// Whole or not at all, with the mode that it had.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::metadata(path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::without;

    const HOSTS: &str =
        "[cluster]\nname = \"lab\"\n[[hosts]]\nname = \"h1\"\nrole = \"control-plane\"\n[[hosts]]\nname = \"h2\"\n";

    #[test]
    fn what_a_link_leads_to_is_written_with_its_mode() {
        let temp = tempfile::tempdir().unwrap();
        let (file, link) = (temp.path().join("real.toml"), temp.path().join("inventory.toml"));
        fs::write(&file, HOSTS).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        without(&link, &["h2".to_owned()].into()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), HOSTS.replace("[[hosts]]\nname = \"h2\"\n", ""));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
    }

    #[test]
    fn a_file_that_would_be_no_inventory_stays_as_it_is() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("inventory.toml");
        fs::write(&file, HOSTS).unwrap();
        assert!(without(&file, &["h1".to_owned()].into()).unwrap_err().contains("by hand"));
        assert_eq!(fs::read_to_string(&file).unwrap(), HOSTS);
    }
}
