use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::host::Stream;

/// Directories with a file a host, which hold what the hosts write, byte for byte.
#[derive(Debug, Clone, Default)]
pub struct Files {
    out: Option<Vec<PathBuf>>,
    err: Option<Vec<PathBuf>>,
}

impl Files {
    /// Makes the directories where they are not there, and in each an empty file a host, called as the host is.
    ///
    /// # Errors
    /// When one cannot be made, or a name is none for a file.
    pub fn create(names: &[String], out: Option<&Path>, err: Option<&Path>) -> Result<Self, String> {
        let made = |directory: &Path| {
            let cannot = |path: &Path, error: io::Error| format!("cannot write {}: {error}", path.display());
            fs::create_dir_all(directory).map_err(|error| cannot(directory, error))?;
            let paths: Vec<PathBuf> = names.iter().map(|name| path(directory, name)).collect::<Result<_, _>>()?;
            for path in &paths {
                File::create(path).map_err(|error| cannot(path, error))?;
            }
            Ok::<_, String>(paths)
        };
        Ok(Self { out: out.map(made).transpose()?, err: err.map(made).transpose()? })
    }

    /// Takes what a host wrote to a stream that goes to files; `false` where it does not.
    ///
    /// # Errors
    /// When it cannot be written. The file is open for no longer than that: there may be more hosts than files may be open.
    pub(super) fn take(&self, host: usize, stream: Stream, bytes: &[u8]) -> io::Result<bool> {
        let paths = if stream == Stream::Stdout { &self.out } else { &self.err };
        let Some(path) = paths.as_ref().and_then(|paths| paths.get(host)) else { return Ok(false) };
        let written = OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        Ok(true)
    }
}

fn path(directory: &Path, name: &str) -> Result<PathBuf, String> {
    if name.contains('/') || name == "." || name == ".." {
        return Err(format!("a file in {} cannot be called `{name}`", directory.display()));
    }
    Ok(directory.join(name))
}

#[cfg(test)]
mod tests {
    use super::Files;
    use crate::host::Stream;

    #[test]
    fn each_host_has_its_file() {
        let temp = tempfile::tempdir().unwrap();
        let out = temp.path().join("a/b");
        let names = ["one".to_owned(), "root@two:22".to_owned()];
        let files = Files::create(&names, Some(&out), None).unwrap();
        assert!(files.take(1, Stream::Stdout, b"x\xff").unwrap() && files.take(1, Stream::Stdout, b"\n").unwrap());
        assert!(!files.take(1, Stream::Stderr, b"x").unwrap());
        assert_eq!(std::fs::read(out.join("root@two:22")).unwrap(), b"x\xff\n");
        assert_eq!(std::fs::read(out.join("one")).unwrap(), b"");
        for name in ["../x", ".", ".."] {
            assert!(Files::create(&[name.to_owned()], Some(&out), None).is_err(), "{name}");
        }
        assert!(!temp.path().join("a/x").exists());
    }
}
