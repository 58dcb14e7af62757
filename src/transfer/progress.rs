use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How far a transfer with one host is; it can be asked also after a failure, or when it was given up.
#[derive(Clone)]
pub struct Progress {
    moved: Arc<dyn Fn(u64, u64) + Send + Sync>,
    placed: Arc<AtomicUsize>,
}

impl Progress {
    /// `moved` is told how much of the files' contents has been taken, and of how much, in bytes.
    pub fn new(moved: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        Self { moved: Arc::new(moved), placed: Arc::default() }
    }

    /// How many paths were put in place, as far as is known.
    #[must_use]
    pub fn placed(&self) -> usize {
        self.placed.load(Ordering::Relaxed)
    }

    pub(super) fn moved(&self, done: u64, total: u64) {
        (self.moved)(done, total);
    }

    pub(super) fn place(&self, paths: usize) {
        self.placed.store(paths, Ordering::Relaxed);
    }
}
