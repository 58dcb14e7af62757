use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::unfold;
use tokio::sync::watch;

use super::spool::Spool;
use crate::base::spool_dir;
use crate::host::Input;

/// One source for many hosts: it is read once, kept in a file that has no name, and given to each host at the host's own pace.
///
/// What was read is there for the hosts at once, so a source that comes slowly, as from `tail -f`, may be one without an end.
#[derive(Clone)]
pub struct Feed(Arc<Kept>);

struct Kept {
    file: File,
    /// What is in the file, and whether that is all.
    read: watch::Sender<Progress>,
    /// How far the fastest host has come, in bytes.
    furthest: Mutex<u64>,
    moved: Condvar,
}

#[derive(Debug, Clone, Default)]
struct Progress {
    length: u64,
    end: Option<Result<(), String>>,
}

impl Feed {
    /// The source is read no further than this ahead of the fastest host, in bytes: one that never ends must not fill the disk
    /// while nobody reads it.
    const AHEAD: u64 = 64 << 20;

    /// Reads `source` to its end, in a thread of its own.
    ///
    /// # Errors
    /// Where there is no file to keep it in, or no thread.
    pub fn of(source: impl Read + Send + 'static) -> io::Result<Self> {
        let file = tempfile::tempfile_in(spool_dir())?;
        let (read, _) = watch::channel(Progress::default());
        let kept = Arc::new(Kept { file, read, furthest: Mutex::default(), moved: Condvar::new() });
        let keeping = Arc::clone(&kept);
        std::thread::Builder::new().name("feed".to_owned()).spawn(move || keeping.keep(source))?;
        Ok(Self(kept))
    }

    /// All of it, from its first byte on. Where it breaks off it does not end: half of an input must not look like all of it.
    #[must_use]
    pub fn input(&self) -> Input {
        unfold((Arc::clone(&self.0), self.0.read.subscribe(), 0), |(kept, mut read, at)| async move {
            let bytes = kept.next(&mut read, at).await?;
            let at = at + bytes.len() as u64;
            Some((bytes, (kept, read, at)))
        })
        .boxed()
    }

    /// Waits until it has broken off, for as long as it does not, and gives the reason.
    pub async fn broken(&self) -> String {
        let mut read = self.0.read.subscribe();
        let broken = read.wait_for(|read| matches!(read.end, Some(Err(_)))).await;
        if let Ok(Some(Err(reason))) = broken.map(|read| read.end.clone()) {
            reason
        } else {
            std::future::pending().await
        }
    }
}

impl Kept {
    fn keep(&self, mut source: impl Read) {
        let mut piece = vec![0; Spool::PIECE];
        let mut length = 0;
        let end = loop {
            self.wait_for_hosts(length);
            let count = match source.read(&mut piece) {
                Ok(0) => break Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => break Err(format!("cannot read the input for the hosts: {error}")),
            };
            if let Err(error) = self.file.write_all_at(&piece[..count], length) {
                break Err(format!("the input for the hosts cannot be kept in {}: {error}", spool_dir().display()));
            }
            length += count as u64;
            self.read.send_modify(|read| read.length = length);
        };
        self.read.send_modify(|read| read.end = Some(end));
    }

    fn wait_for_hosts(&self, length: u64) {
        let mut furthest = self.furthest();
        while length.saturating_sub(*furthest) >= Feed::AHEAD {
            furthest = self.moved.wait(furthest).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The piece at `at`; `None` at the end of all.
    async fn next(&self, read: &mut watch::Receiver<Progress>, at: u64) -> Option<Bytes> {
        let there = read.wait_for(|read| read.length > at || read.end == Some(Ok(()))).await.ok()?.length;
        let left = usize::try_from(there - at).unwrap_or(usize::MAX);
        if left == 0 {
            return None;
        }
        let mut piece = vec![0; left.min(Spool::PIECE)];
        if let Err(error) = self.file.read_exact_at(&mut piece, at) {
            let reason = format!("the input for the hosts cannot be read back from {}: {error}", spool_dir().display());
            self.read.send_modify(|read| read.end = Some(Err(reason)));
            return std::future::pending().await;
        }
        let mut furthest = self.furthest();
        *furthest = (*furthest).max(at + piece.len() as u64);
        self.moved.notify_one();
        Some(piece.into())
    }

    fn furthest(&self) -> MutexGuard<'_, u64> {
        self.furthest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use futures::StreamExt;
    use tokio::time::timeout;

    use super::Feed;
    use crate::host::Input;

    const SHORT: Duration = Duration::from_millis(100);

    async fn all(mut input: Input) -> Vec<u8> {
        let mut seen = Vec::new();
        while let Some(piece) = input.next().await {
            seen.extend_from_slice(&piece);
        }
        seen
    }

    #[tokio::test]
    async fn each_host_gets_all_of_it_at_its_own_pace() {
        let text: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let feed = Feed::of(io::Cursor::new(text.clone())).unwrap();
        let mut slow = feed.input();
        let first = slow.next().await.unwrap();
        assert!(all(feed.input()).await == text);
        let rest = all(slow).await;
        assert!([&first[..], &rest].concat() == text);
        assert!(all(Feed::of(io::empty()).unwrap().input()).await.is_empty());
    }

    #[tokio::test]
    async fn what_comes_slowly_is_there_at_once() {
        let (reader, mut writer) = io::pipe().unwrap();
        let feed = Feed::of(reader).unwrap();
        let mut input = feed.input();
        assert!(timeout(SHORT, input.next()).await.is_err());
        io::Write::write_all(&mut writer, b"one").unwrap();
        assert_eq!(input.next().await.unwrap(), "one");
        drop(writer);
        assert_eq!(input.next().await, None);
    }

    #[tokio::test]
    async fn half_of_it_never_ends() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("unplugged"))
            }
        }
        let feed = Feed::of(io::Cursor::new("half").chain(Broken)).unwrap();
        let mut input = feed.input();
        assert_eq!(feed.broken().await, "cannot read the input for the hosts: unplugged");
        assert_eq!(input.next().await.unwrap(), "half");
        assert!(timeout(SHORT, input.next()).await.is_err());
    }

    #[tokio::test]
    async fn what_nobody_reads_does_not_fill_the_disk() {
        static READ: AtomicU64 = AtomicU64::new(0);
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
                READ.fetch_add(piece.len() as u64, Ordering::Relaxed);
                Ok(piece.len())
            }
        }
        let feed = Feed::of(Endless).unwrap();
        let read_until = async |most: u64| {
            while READ.load(Ordering::Relaxed) < most {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(SHORT).await;
            assert_eq!(READ.load(Ordering::Relaxed), most);
        };
        read_until(Feed::AHEAD).await;
        let piece = feed.input().next().await.unwrap();
        read_until(Feed::AHEAD + piece.len() as u64).await;
    }
}
