//! Files that are written to while they are fetched.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::bench::{Bench, ShellHost, from, told, unheard, write};
use crate::host::{Exit, Host, HostError, Output, Request};
use crate::transfer::fetch;

/// A host on which something happens before it does what it is asked for the second time, and each time after that.
struct Busy<'a> {
    host: &'a ShellHost,
    asked: AtomicUsize,
    happens: Box<dyn Fn() + Send + Sync>,
}

#[async_trait]
impl Host for Busy<'_> {
    fn name(&self) -> &str {
        "busy"
    }

    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) > 0 {
            (self.happens)();
        }
        self.host.exec(request, output).await
    }

    async fn close(&self) {}
}

fn append(path: &Path) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"more\n").unwrap();
}

#[tokio::test]
async fn a_log_that_grows_comes_as_it_was_told_of_and_spoils_no_other() {
    for bench in [Some(Bench::new()), Bench::busybox()].into_iter().flatten() {
        // In every place among the others, by name and by age.
        for (name, mode) in [("a", 0o600), ("log", 0o640), ("sub/log", 0o601), ("z", 0o644), ("empty", 0o620)] {
            write(&bench.there("tree").join(name), if name == "empty" { "" } else { name }.as_bytes(), mode);
        }
        let logs = ["tree/log", "tree/sub/log", "tree/empty"].map(|name| bench.there(name));
        let happens = Box::new(move || logs.iter().for_each(|log| append(log)));
        let busy = Busy { host: &bench.host, asked: AtomicUsize::new(0), happens };
        let progress = unheard();
        let fetched = fetch(&busy, &from(b"tree"), &bench.here("n"), &progress).await.unwrap();
        assert_eq!((fetched.changes.len(), progress.placed()), (7, 7));
        for (name, contents) in [("a", "a"), ("log", "log"), ("sub/log", "sub/log"), ("z", "z"), ("empty", "")] {
            assert_eq!(fs::read_to_string(bench.here("n/tree").join(name)).unwrap(), contents, "{name}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_gone_meanwhile_is_a_failure_of_its_own() {
    for bench in [Some(Bench::new()), Bench::busybox()].into_iter().flatten() {
        for (name, mode) in [("a", 0o644), ("cut", 0o600), ("gone", 0o601), ("z", 0o602)] {
            write(&bench.there("tree").join(name), name.as_bytes(), mode);
        }
        let (gone, cut) = (bench.there("tree/gone"), bench.there("tree/cut"));
        let happens = Box::new(move || {
            let _ = fs::remove_file(&gone);
            fs::write(&cut, "c").unwrap();
        });
        let busy = Busy { host: &bench.host, asked: AtomicUsize::new(0), happens };
        let progress = unheard();
        let error = fetch(&busy, &from(b"tree"), &bench.here("n"), &progress).await.unwrap_err();
        assert_eq!(error.to_string(), "gone changed while it was read");
        // The directory, and all others.
        assert_eq!(progress.placed(), 4);
        for (name, contents) in [("a", Some("a")), ("cut", Some("c")), ("gone", None), ("z", Some("z"))] {
            assert_eq!(fs::read_to_string(bench.here("n/tree").join(name)).ok().as_deref(), contents, "{name}");
        }
        // Its time is as it was told of.
        assert_eq!(told(&bench.fetch(b"tree", "n").await.unwrap()), ["= cut"]);
    }
}

#[tokio::test]
async fn what_the_kernel_writes_has_no_length() {
    for bench in [Some(Bench::new()), Bench::busybox()].into_iter().flatten() {
        for path in ["/proc/version", "/proc/meminfo", "/sys/kernel/mm/transparent_hugepage/enabled"] {
            let Ok(contents) = fs::read(path) else { continue };
            bench.fetch(path.as_bytes(), "n").await.unwrap();
            let fetched = fs::read(bench.here("n").join(Path::new(path).file_name().unwrap())).unwrap();
            assert_eq!(fetched.len(), contents.len(), "{path}");
        }
    }
}
