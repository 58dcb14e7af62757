use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// Where the workstation keeps what belongs to one cluster; for its owner's eyes only.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The admin kubeconfig's name in it.
    pub const KUBECONFIG: &'static str = "admin.conf";
    /// The name of the directory of runs in it.
    pub const RUNS: &'static str = "runs";

    /// At this path, which need not exist yet.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where something of this name is in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What a file of it holds; `None` where there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(&self, name: &str) -> io::Result<Option<SecretString>> {
        match fs::read_to_string(self.path(name)) {
            Ok(text) => Ok(Some(text.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(in_file(&self.path(name), &error)),
        }
    }

    /// Removes a file of it, where there is one.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(in_file(&self.path(name), &error)),
            _ => Ok(()),
        }
    }

    /// Writes a file, 0600, whole or not at all; gives its path.
    ///
    /// # Errors
    /// When the directory or the file cannot be written.
    pub fn save(&self, name: &str, contents: &SecretString) -> io::Result<PathBuf> {
        let path = self.path(name);
        let write = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
            file.write_all(contents.expose_secret().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error: io::Error| in_file(&path, &error))?;
        Ok(path)
    }
}

fn in_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::StateDir;

    #[test]
    fn what_is_saved_is_for_its_owner_only() {
        let temp = tempfile::tempdir().unwrap();
        let state = StateDir::at(temp.path().join("kfleet/lab"));
        assert!(state.read("admin.conf").unwrap().is_none());
        let path = state.save("admin.conf", &"secret".into()).unwrap();
        state.save("admin.conf", &"newer".into()).unwrap();
        assert_eq!(state.read("admin.conf").unwrap().unwrap().expose_secret(), "newer");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        state.remove("admin.conf").unwrap();
        state.remove("admin.conf").unwrap();
        assert!(state.read("admin.conf").unwrap().is_none());
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
