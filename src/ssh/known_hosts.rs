use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::Marker;

use super::host_pattern::matches;
use crate::host::HostError;

/// The files of known host keys, read but not yet understood: a fleet's files are long and one host's lines are few.
#[derive(Debug)]
pub struct KnownHosts {
    files: Vec<(PathBuf, String)>,
}

/// One line that holds for a host.
#[derive(Debug)]
pub struct KnownKey {
    /// `@revoked` or `@cert-authority`.
    pub marker: Option<Marker>,
    /// The key.
    pub key: PublicKey,
    /// The file it stands in.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
}

impl KnownHosts {
    /// Reads `files`; those that do not exist count as empty.
    ///
    /// # Errors
    /// Where a file is there and cannot be read: it may hold the line that revokes a key.
    pub fn read(files: &[PathBuf]) -> Result<Self, HostError> {
        let mut read = Vec::with_capacity(files.len());
        for path in files {
            match std::fs::read(path) {
                // A line that is not UTF-8 is then a line that does not parse.
                Ok(bytes) => read.push((path.clone(), String::from_utf8_lossy(&bytes).into_owned())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(HostError::HostKey {
                        reason: format!("cannot read {}: {error}", path.display()),
                        hint: "make the file readable, or name another as `known_hosts` in the inventory".to_owned(),
                    });
                }
            }
        }
        Ok(Self { files: read })
    }

    /// A file that says `text`.
    #[cfg(any(test, fuzzing))]
    pub fn of_text(file: &str, text: &str) -> Self {
        Self { files: vec![(PathBuf::from(file), text.to_owned())] }
    }

    /// The lines that hold for `host`: a name or address, or `[host]:port`.
    ///
    /// Lines that cannot be understood are passed over, as OpenSSH does.
    pub fn of(&self, host: &str) -> Vec<KnownKey> {
        let host = host.to_lowercase();
        let lines = self.files.iter().flat_map(|(path, text)| {
            text.lines().enumerate().map(move |(index, line)| (path.as_path(), index + 1, line))
        });
        lines.filter_map(|(path, number, line)| known_key(&host, path, number, line)).collect()
    }
}

fn known_key(host: &str, file: &Path, number: usize, line: &str) -> Option<KnownKey> {
    let line = line.trim_start_matches([' ', '\t']);
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split([' ', '\t', '\r']).filter(|word| !word.is_empty());
    let mut hosts = words.next()?;
    let marker = if hosts.starts_with('@') { Some(hosts.parse().ok()?) } else { None };
    if marker.is_some() {
        hosts = words.next()?;
    }
    if !matches(&hosts.parse().ok()?, host) {
        return None;
    }
    let (algorithm, base64) = (words.next()?, words.next()?);
    let key = PublicKey::from_openssh(&format!("{algorithm} {base64}")).ok()?;
    Some(KnownKey { marker, key, file: file.to_owned(), line: number })
}

/// Writes a line for `host` at the end of `file`, which is made where it is not there, for its owner alone.
///
/// # Errors
/// Where that cannot be done; nothing is written then.
pub fn append(file: &Path, host: &str, key: &PublicKey) -> io::Result<()> {
    let key = PublicKey::from(key.key_data().clone()).to_openssh().map_err(io::Error::other)?;
    if let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty() && !directory.exists())
    {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut open = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    // Other programs may write to it at the same time: a lock for those that take one, and one write for all.
    open.lock()?;
    let start = if ends_its_line(&mut open)? { "" } else { "\n" };
    open.write_all(format!("{start}{host} {}\n", key.trim()).as_bytes())
}

fn ends_its_line(file: &mut File) -> io::Result<bool> {
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last == [b'\n'])
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use russh::keys::PublicKey;

    use super::append;

    #[test]
    fn a_new_line_ends_the_one_before() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".ssh/known_hosts");
        let parsed = PublicKey::from_openssh(&format!("{key} me@here")).unwrap();
        append(&file, "one", &parsed).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("one {key}\n"));
        for (path, mode) in [(file.as_path(), 0o600), (file.parent().unwrap(), 0o700)] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
        std::fs::write(&file, "cut short").unwrap();
        append(&file, "[two]:2222", &parsed).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("cut short\n[two]:2222 {key}\n"));
    }
}
