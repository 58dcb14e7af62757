use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;

/// Where a file's bytes come from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A file of this machine, opened for each block: ten thousand files must not need ten thousand descriptors.
    Path(PathBuf),
    /// A file without a name: what can be read only once, as a pipe, was put there.
    Spool(Arc<File>),
}

/// Reads files for many hosts at once.
///
/// Each host goes at its own pace, and none may wait for a slower one. So the last blocks that anybody read are kept, and shared: hosts
/// that keep pace have the source read once for all of them, a straggler reads again what has gone (mostly from the page cache), and
/// memory is bounded whatever the number of hosts and the size of the files.
#[derive(Debug, Default)]
pub(super) struct Blocks(Mutex<Recent>);

#[derive(Debug, Default)]
struct Recent {
    blocks: HashMap<Key, Arc<OnceCell<Bytes>>>,
    /// The oldest first.
    order: VecDeque<Key>,
}

/// A file by its number, and a place in it in blocks.
type Key = (usize, u64);

impl Blocks {
    /// In bytes: large enough that sending one costs little beside its bytes.
    pub const SIZE: u64 = 256 << 10;
    /// How many are kept: 64 MiB in all.
    const KEPT: usize = 256;

    /// Block `number` of `file`; shorter than [`Self::SIZE`] where the file ends.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub async fn read(&self, file: usize, origin: &Origin, number: u64) -> io::Result<Bytes> {
        let block = self.lock().block((file, number));
        let read = block.get_or_try_init(|| async {
            let origin = origin.clone();
            tokio::task::spawn_blocking(move || from(&origin, number)).await.map_err(io::Error::other)?
        });
        read.await.cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn block(&mut self, key: Key) -> Arc<OnceCell<Bytes>> {
        if let Some(block) = self.blocks.get(&key) {
            return Arc::clone(block);
        }
        if self.order.len() == Blocks::KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.blocks.remove(&oldest);
        }
        self.order.push_back(key);
        Arc::clone(self.blocks.entry(key).or_default())
    }
}

fn from(origin: &Origin, number: u64) -> io::Result<Bytes> {
    let opened;
    let file: &File = match origin {
        Origin::Path(path) => {
            opened = File::open(path)?;
            &opened
        }
        Origin::Spool(file) => file,
    };
    let size = usize::try_from(Blocks::SIZE).map_err(io::Error::other)?;
    let mut block = vec![0; size];
    let mut read = 0;
    while read < size {
        match file.read_at(&mut block[read..], number * Blocks::SIZE + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    block.truncate(read);
    Ok(block.into())
}

#[cfg(test)]
mod tests {
    use super::{Blocks, Origin};

    #[tokio::test]
    async fn hosts_that_keep_pace_share_what_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, vec![7; 300_000]).unwrap();
        let origin = Origin::Path(path.clone());
        let blocks = Blocks::default();
        let first = blocks.read(0, &origin, 0).await.unwrap();
        assert_eq!((first.len(), blocks.read(0, &origin, 1).await.unwrap().len()), (262_144, 37_856));
        // Gone, and still there for whoever comes soon after.
        std::fs::remove_file(&path).unwrap();
        assert_eq!(blocks.read(0, &origin, 0).await.unwrap().as_ptr(), first.as_ptr());
        assert!(blocks.read(1, &origin, 0).await.is_err());
        for file in 2..400 {
            let _ = blocks.read(file, &origin, 0).await;
        }
        assert!(blocks.read(0, &origin, 0).await.is_err(), "what is old is let go");
    }
}
