use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file a host in one directory. One is made when its host first writes, so a host without output has none.
#[derive(Debug)]
pub(super) struct OutputFiles {
    files: Vec<OutputFile>,
    append: bool,
}

#[derive(Debug)]
struct OutputFile {
    path: PathBuf,
    file: Option<File>,
}

impl OutputFiles {
    /// In `directory`, which is made where it is missing; for hosts of these names, of which one that comes again gets a number.
    ///
    /// # Errors
    /// Where the directory cannot be made.
    pub(super) fn new<'a>(
        directory: &Path,
        names: impl Iterator<Item = &'a str>,
        append: bool,
    ) -> Result<Self, String> {
        fs::create_dir_all(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let files = names.map(|name| {
            let count = seen.entry(name).or_default();
            let path = directory.join(if *count == 0 { name.to_owned() } else { format!("{name}.{count}") });
            *count += 1;
            OutputFile { path, file: None }
        });
        Ok(Self { files: files.collect(), append })
    }

    /// Writes what the host at this place wrote.
    ///
    /// # Errors
    /// Where that cannot be done.
    pub(super) fn write(&mut self, host: usize, bytes: &[u8]) -> Result<(), String> {
        let append = self.append;
        match self.files.get_mut(host) {
            Some(file) => {
                file.write(bytes, append).map_err(|error| format!("cannot write {}: {error}", file.path.display()))
            }
            None => Ok(()),
        }
    }

    /// Closes the file of a host that ended.
    pub(super) fn close(&mut self, host: usize) {
        if let Some(file) = self.files.get_mut(host) {
            file.file = None;
        }
    }
}

impl OutputFile {
    fn write(&mut self, bytes: &[u8], append: bool) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut options = OpenOptions::new();
                options.create(true).append(append).write(true).truncate(!append);
                none.insert(options.open(&self.path)?)
            }
        };
        file.write_all(bytes)
    }
}
