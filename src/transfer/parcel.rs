use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest;
use thiserror::Error;

use super::blocks::{Blocks, Origin};
use super::entry::{Entry, Kind, Stamp};
use super::left_out::LeftOut;
use crate::base::spool_dir;

/// Files and trees of this machine, read and hashed once, to be copied to any number of hosts.
#[derive(Debug)]
pub struct Parcel {
    /// A directory always before what is in it.
    pub(super) entries: Vec<Entry>,
    /// Of each entry.
    pub(super) origins: Vec<Origin>,
    pub(super) shape: Shape,
    pub(super) blocks: Blocks,
    /// Where in the trees something is that is not copied, and is not surplus there either.
    pub(super) skipped: Vec<Vec<u8>>,
    /// The same, for people.
    pub left_out: LeftOut,
}

/// What the sources are as a whole, which decides where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// One file of this name; of none where the destination has to say it.
    File(Vec<u8>),
    /// One tree of this name; its own root is the empty path.
    Tree(Vec<u8>),
    /// Several, or what is in a directory: they go into the destination. The paths of the trees whose whole contents are known.
    Into(Vec<Vec<u8>>),
}

impl Shape {
    /// The paths of the trees that are wholly known here: what else is in them there, the sources have not.
    pub(super) fn roots(&self) -> &[Vec<u8>] {
        const WHOLE: &[Vec<u8>] = &[Vec::new()];
        match self {
            Self::File(_) => &[],
            Self::Tree(_) => WHOLE,
            Self::Into(trees) => trees,
        }
    }
}

/// Why something cannot be copied from here.
#[derive(Debug, Error)]
pub enum SourceError {
    /// It cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A device, a socket or a pipe.
    #[error("{} is a {what}: only files, directories and symbolic links are copied", .path.display())]
    Special {
        /// Which.
        path: PathBuf,
        /// What.
        what: &'static str,
    },
    /// Two sources would go to one place.
    #[error("two sources would both become {}", String::from_utf8_lossy(.0))]
    Twice(Vec<u8>),
    /// Nothing to call it by, as with `..`.
    #[error("{} has no name of its own: write `{}/` for what is in it", .0.display(), .0.display())]
    Nameless(PathBuf),
    /// What can be read only once could not be kept.
    #[error("cannot read stdin, or keep it in a temporary file: {0}")]
    Spool(io::Error),
}

impl Parcel {
    /// Reads all of `sources`. One that ends with `/` stands for what is in the directory, as for rsync.
    ///
    /// # Errors
    /// When one cannot be read or copied; nothing has been sent then.
    pub fn read(sources: &[PathBuf]) -> Result<Self, SourceError> {
        let mut parcel = Self::empty(Shape::Into(Vec::new()));
        if let [source] = sources {
            let metadata = stat(source)?;
            let is_contents = source.as_os_str().as_bytes().ends_with(b"/");
            parcel.shape = match (metadata.is_dir(), is_contents) {
                (true, true) => Shape::Into(vec![Vec::new()]),
                (true, false) => Shape::Tree(name(source)?),
                (false, _) => Shape::File(name(source)?),
            };
            let path = if metadata.is_dir() { Vec::new() } else { name(source)? };
            parcel.add(source, path, &metadata)?;
        } else {
            let mut trees = Vec::new();
            for source in sources {
                let metadata = stat(source)?;
                let is_contents = metadata.is_dir() && source.as_os_str().as_bytes().ends_with(b"/");
                let path = if is_contents { Vec::new() } else { name(source)? };
                if metadata.is_dir() && !is_contents {
                    trees.push(path.clone());
                }
                parcel.add(source, path, &metadata)?;
            }
            parcel.shape = Shape::Into(trees);
        }
        parcel.check()?;
        Ok(parcel)
    }

    /// All of what `reader` gives, as one file, which takes its name from its destination. It may be more than memory holds, and cannot
    /// be read twice: it is kept in a file without a name.
    ///
    /// # Errors
    /// When it cannot be read, or kept.
    pub fn spooled(mut reader: impl Read) -> Result<Self, SourceError> {
        let mut file = tempfile::tempfile_in(spool_dir()).map_err(SourceError::Spool)?;
        let (size, sha256) = hash(&mut reader, |block| file.write_all(block)).map_err(SourceError::Spool)?;
        let mut parcel = Self::empty(Shape::File(Vec::new()));
        let entry = Entry { path: Vec::new(), kind: Kind::File { size, sha256 }, mode: 0o644, modified: None };
        parcel.entries.push(entry);
        parcel.origins.push(Origin::Spool(Arc::new(file)));
        Ok(parcel)
    }

    /// How much all files hold, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.entries.iter().map(Entry::size).sum()
    }

    /// Whether there is a directory among the sources themselves.
    #[must_use]
    pub fn has_tree(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == Kind::Directory)
    }

    /// An entry's place on this machine, for people.
    pub(super) fn source(&self, index: usize) -> String {
        match &self.origins[index] {
            Origin::Path(path) => path.display().to_string(),
            Origin::Spool(_) => "what stdin gave".to_owned(),
        }
    }

    /// Whether a file is not any more what it was when it was hashed.
    pub(super) fn has_changed(&self, index: usize) -> bool {
        let (Entry { kind: Kind::File { sha256, .. }, .. }, Origin::Path(path)) =
            (&self.entries[index], &self.origins[index])
        else {
            return false;
        };
        let now = File::open(path).and_then(|mut file| hash(&mut file, |_| Ok(())));
        !now.is_ok_and(|(_, now)| now == *sha256)
    }

    fn empty(shape: Shape) -> Self {
        Self {
            entries: Vec::new(),
            origins: Vec::new(),
            shape,
            blocks: Blocks::default(),
            skipped: Vec::new(),
            left_out: LeftOut::default(),
        }
    }

    /// Adds what is at `source`, and all that is in it, as `path`.
    fn add(&mut self, source: &Path, path: Vec<u8>, metadata: &Metadata) -> Result<(), SourceError> {
        let unreadable = |error| SourceError::Unreadable { path: source.to_owned(), error };
        let kind = metadata.file_type();
        let kind = if kind.is_file() {
            let mut file = File::open(source).map_err(unreadable)?;
            let (size, sha256) = hash(&mut file, |_| Ok(())).map_err(unreadable)?;
            Kind::File { size, sha256 }
        } else if kind.is_dir() {
            Kind::Directory
        } else if kind.is_symlink() {
            Kind::Link { target: fs::read_link(source).map_err(unreadable)?.into_os_string().into_vec() }
        } else {
            return Err(SourceError::Special { path: source.to_owned(), what: special(kind) });
        };
        let is_directory = kind == Kind::Directory;
        let modified = Some(Stamp::of(metadata));
        self.entries.push(Entry { path: path.clone(), kind, mode: metadata.mode() & 0o7777, modified });
        self.origins.push(Origin::Path(source.to_owned()));
        if is_directory {
            let listed = fs::read_dir(source).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            let mut names: Vec<_> = listed.map_err(unreadable)?.into_iter().map(|entry| entry.file_name()).collect();
            names.sort_unstable();
            for name in names {
                let source = source.join(&name);
                // What is in a tree is what it is, links too; a source itself may be a link to what is meant.
                let metadata = fs::symlink_metadata(&source);
                let metadata = metadata.map_err(|error| SourceError::Unreadable { path: source.clone(), error })?;
                let (path, kind) = (below(&path, name.as_bytes()), metadata.file_type());
                if kind.is_file() || kind.is_dir() || kind.is_symlink() {
                    self.add(&source, path, &metadata)?;
                } else {
                    self.left_out.add(special(kind));
                    self.skipped.push(path);
                }
            }
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), SourceError> {
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for (index, entry) in self.entries.iter().enumerate() {
            if !seen.insert(&entry.path) {
                // The contents of several directories have one root.
                if !entry.path.is_empty() {
                    return Err(SourceError::Twice(entry.path.clone()));
                }
                twice.insert(index);
            }
        }
        for index in twice.into_iter().rev() {
            self.entries.remove(index);
            self.origins.remove(index);
        }
        Ok(())
    }
}

/// `name` in the directory `path`.
pub(super) fn below(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

/// Of what a source means, through links.
fn stat(source: &Path) -> Result<Metadata, SourceError> {
    fs::metadata(source).map_err(|error| SourceError::Unreadable { path: source.to_owned(), error })
}

/// What a source is called, if need be after where it leads to, as `.` does.
fn name(source: &Path) -> Result<Vec<u8>, SourceError> {
    let own = source.file_name().map(OsStr::to_owned);
    let name = own.or_else(|| fs::canonicalize(source).ok()?.file_name().map(OsStr::to_owned));
    name.map(OsString::into_vec).ok_or_else(|| SourceError::Nameless(source.to_owned()))
}

fn special(kind: fs::FileType) -> &'static str {
    match kind {
        kind if kind.is_fifo() => "pipe",
        kind if kind.is_socket() => "socket",
        kind if kind.is_block_device() => "block device",
        _ => "device",
    }
}

/// Size and SHA-256 of all that `reader` gives, block by block handed to `each`.
pub(super) fn hash(
    reader: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(u64, [u8; 32])> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut block = vec![0; 256 << 10];
    let mut size = 0;
    loop {
        let read = match reader.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        context.update(&block[..read]);
        each(&block[..read])?;
        size += read as u64;
    }
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(context.finish().as_ref());
    Ok((size, sha256))
}
