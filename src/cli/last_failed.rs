use std::fs;
use std::path::Path;

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::engine::StateDir;

use super::Exit;
use super::drive::state_dir;
use super::exit::complain;

/// Which hosts of an inventory failed the last time that a command went to them: what `--failed` selects.
///
/// `$XDG_STATE_HOME/kfleet/last-failed/KEY`, one name a line; KEY tells inventories apart, and is `adhoc` for hosts that
/// come from the command line.
#[derive(Debug, Clone)]
pub(super) struct LastFailed {
    state: StateDir,
    key: String,
}

impl LastFailed {
    const DIRECTORY: &'static str = "last-failed";

    /// Of the hosts of this inventory, or of those from the command line.
    ///
    /// # Errors
    /// When there is no home to keep it in.
    pub(super) fn of(inventory: Option<&Path>) -> Result<Self, String> {
        let key = inventory.map_or_else(|| "adhoc".to_owned(), key);
        Ok(Self { state: state_dir(Self::DIRECTORY)?, key })
    }

    /// Their names; `None` where nothing has been written yet.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub(super) fn read(&self) -> Result<Option<Vec<String>>, String> {
        let text = self.state.read(&self.key).map_err(|error| format!("cannot read {error}"))?;
        Ok(text.map(|text| text.expose_secret().lines().map(str::to_owned).collect()))
    }

    /// Keeps those of these names whose places are not done, in place of the ones before; where it cannot, says so on stderr.
    pub(super) fn remember(&self, names: &[String], is_done: impl Fn(usize) -> bool) {
        let left = names.iter().enumerate().filter(|(host, _)| !is_done(*host));
        if let Err(reason) = self.write(left.map(|(_, name)| name.as_str())) {
            complain(Exit::Local, &format!("--failed will not know of this: {reason}"));
        }
    }

    /// Keeps these names in place of the ones before.
    ///
    /// # Errors
    /// When they cannot be written.
    fn write<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
        let lines: String = names.into_iter().map(|name| format!("{name}\n")).collect();
        self.state.save(&self.key, &lines.into()).map(drop).map_err(|error| format!("cannot write {error}"))
    }
}

/// The same for every way of writing the path of the same file.
fn key(inventory: &Path) -> String {
    let path = fs::canonicalize(inventory).unwrap_or_else(|_| inventory.to_owned());
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::engine::StateDir;

    use super::{LastFailed, key};

    #[test]
    fn what_failed_is_read_back_and_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let last = LastFailed { state: StateDir::at(temp.path().join("last-failed")), key: "adhoc".to_owned() };
        assert_eq!(last.read().unwrap(), None);
        last.write(["node1", "node7"]).unwrap();
        assert_eq!(last.read().unwrap(), Some(vec!["node1".to_owned(), "node7".to_owned()]));
        last.write([]).unwrap();
        assert_eq!(last.read().unwrap(), Some(Vec::new()));
    }

    #[test]
    fn an_inventory_is_known_again_however_its_path_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let (file, other) = (temp.path().join("lab.toml"), temp.path().join("other.toml"));
        fs::write(&file, "").unwrap();
        fs::write(&other, "").unwrap();
        assert_eq!(key(&file), key(&temp.path().join("./lab.toml")));
        assert_ne!(key(&file), key(&other));
    }
}
