use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::names::is_plain;
use crate::base::printable;

/// Takes the stream of a host's files, and writes them here as it comes.
pub(crate) struct Received {
    mark: Vec<u8>,
    into: PathBuf,
    state: State,
    /// The directories that are open, with the modes that those will have that were made; `None` where one could not be.
    open: Vec<Option<(PathBuf, Option<u32>)>>,
    complaints: Vec<String>,
}

enum State {
    /// What a login shell's start-up files may print, up to the mark.
    Noise(Vec<u8>),
    Header(Vec<u8>),
    Contents {
        left: u64,
        path: PathBuf,
        file: Option<File>,
    },
    /// It made no sense, or nothing can be done with it.
    Over,
}

/// A header or a mark is never as long, in bytes.
const LONGEST: usize = 16 << 10;

impl Received {
    pub(crate) fn new(mark: &str, into: &Path) -> Self {
        Self {
            mark: mark.as_bytes().to_vec(),
            into: into.to_owned(),
            state: State::Noise(Vec::new()),
            open: Vec::new(),
            complaints: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return,
                State::Noise(mut seen) => {
                    let (taken, ended) = until_nul(bytes);
                    seen.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken + usize::from(ended)..];
                    let count = seen.windows(self.mark.len()).rposition(|window| window == self.mark);
                    let count =
                        count.map(|at| String::from_utf8_lossy(&seen[at + self.mark.len()..]).trim().to_owned());
                    self.state = match count {
                        Some(count) if ended => self.begin(&count),
                        _ => State::Noise(seen.split_off(seen.len().saturating_sub(LONGEST))),
                    };
                }
                State::Header(mut header) => {
                    let (taken, ended) = until_nul(bytes);
                    header.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken + usize::from(ended)..];
                    self.state = match ended {
                        true => self.header(&header),
                        false if header.len() < LONGEST => State::Header(header),
                        false => self.nonsense(&header),
                    };
                }
                State::Contents { left, path, file } => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let file = file.and_then(|file| self.write(file, &path, &bytes[..taken]));
                    bytes = &bytes[taken..];
                    self.state = match left - taken as u64 {
                        0 => State::Header(Vec::new()),
                        left => State::Contents { left, path, file },
                    };
                }
            }
        }
    }

    /// What went wrong, for people.
    pub(crate) fn end(mut self) -> Vec<String> {
        if let State::Contents { path, .. } = &self.state {
            let path = path.clone();
            self.complain(&path, "it did not arrive to its end");
        }
        self.complaints
    }

    /// `count` things come.
    fn begin(&mut self, count: &str) -> State {
        if count == "1" || self.into.is_dir() {
            return State::Header(Vec::new());
        }
        match fs::create_dir(&self.into) {
            Ok(()) => State::Header(Vec::new()),
            Err(error) => {
                let into = self.into.clone();
                self.complain(&into, &error.to_string());
                State::Over
            }
        }
    }

    fn header(&mut self, header: &[u8]) -> State {
        let mut fields = header.splitn(4, |byte| *byte == b' ');
        let (Some(kind), Some(mode), Some(size), Some(name)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return self.nonsense(header);
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mode = u32::from_str_radix(&text(mode), 8).unwrap_or(0o600) & 0o777;
        match kind {
            b"E" => {
                if let Some(Some((path, Some(mode)))) = self.open.pop()
                    && let Err(error) = fs::set_permissions(&path, fs::Permissions::from_mode(mode))
                {
                    self.complain(&path, &error.to_string());
                }
                State::Header(Vec::new())
            }
            b"F" | b"D" if !is_plain(name) && !self.is_root(name) => self.nonsense(header),
            b"D" => {
                let directory = self.place(name).and_then(|path| self.directory(path, mode));
                self.open.push(directory);
                State::Header(Vec::new())
            }
            b"F" => match text(size).parse() {
                Ok(left) => {
                    let place = self.place(name);
                    let file = place.as_ref().and_then(|path| self.file(path, mode));
                    let path = place.unwrap_or_default();
                    if left == 0 { State::Header(Vec::new()) } else { State::Contents { left, path, file } }
                }
                Err(_) => self.nonsense(header),
            },
            _ => self.nonsense(header),
        }
    }

    /// `/`, which has no name, where a tree is what `into` becomes.
    fn is_root(&self, name: &[u8]) -> bool {
        matches!(name, b"" | b"." | b"..") && self.open.is_empty()
    }

    /// Where something of this name goes; `None` inside of a directory that could not be made.
    fn place(&self, name: &[u8]) -> Option<PathBuf> {
        match self.open.last() {
            Some(Some((directory, _))) => Some(directory.join(OsStr::from_bytes(name))),
            Some(None) => None,
            None if self.into.is_dir() && is_plain(name) => Some(self.into.join(OsStr::from_bytes(name))),
            None => Some(self.into.clone()),
        }
    }

    fn directory(&mut self, path: PathBuf, mode: u32) -> Option<(PathBuf, Option<u32>)> {
        if path.is_dir() {
            return Some((path, None));
        }
        // What the umask leaves of the mode is only known from one that has it.
        let made = fs::DirBuilder::new().mode(mode).create(&path).and_then(|()| {
            let allowed = fs::metadata(&path)?.permissions().mode() & 0o777;
            fs::set_permissions(&path, fs::Permissions::from_mode(allowed | 0o700))?;
            Ok(allowed)
        });
        match made {
            Ok(allowed) => Some((path, Some(allowed))),
            Err(error) => {
                self.complain(&path, &error.to_string());
                None
            }
        }
    }

    fn file(&mut self, path: &Path, mode: u32) -> Option<File> {
        // The one who makes a file may write to it, whatever its mode is to be.
        let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
        opened.map_err(|error| self.complain(path, &error.to_string())).ok()
    }

    fn write(&mut self, mut file: File, path: &Path, bytes: &[u8]) -> Option<File> {
        match file.write_all(bytes) {
            Ok(()) => Some(file),
            Err(error) => {
                self.complain(path, &error.to_string());
                None
            }
        }
    }

    fn nonsense(&mut self, header: &[u8]) -> State {
        self.complaints.push(format!("scp: the host sent what is no file: {:?}\n", String::from_utf8_lossy(header)));
        State::Over
    }

    fn complain(&mut self, path: &Path, reason: &str) {
        self.complaints.push(format!("scp: {}: {reason}\n", printable(&path.to_string_lossy())));
    }
}

/// How much comes before a NUL, and whether there is one.
fn until_nul(bytes: &[u8]) -> (usize, bool) {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(place) => (place, true),
        None => (bytes.len(), false),
    }
}
