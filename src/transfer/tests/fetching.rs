use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::SystemTime;

use super::bench::{Bench, from, nasty_tree, picture, to, told, unheard, write};
use crate::transfer::{Fetching, TransferError, fetch};

#[tokio::test]
async fn a_tree_goes_there_and_comes_back_as_it_was() {
    for bench in [Some(Bench::new()), Bench::busybox()].into_iter().flatten() {
        let fine = bench.host.has_all_tools();
        nasty_tree(&bench.here("tree"));
        bench.copy(&["tree"], to(".")).await.unwrap();
        let first = bench.fetch(b"tree", "back/node1").await.unwrap();
        assert_eq!((first.changes.len(), first.unchanged), (26, 0));
        let (mut here, back) = (picture(&bench.here("tree"), fine), picture(&bench.here("back/node1/tree"), fine));
        // What runs as its owner there does not here.
        for what in here.values_mut() {
            *what = what.replace("file 4755", "file 755").replace("directory 2775", "directory 775");
        }
        for (path, what) in &here {
            assert_eq!(back.get(path), Some(what), "{:?}", String::from_utf8_lossy(path));
        }
        assert_eq!(here.len(), back.len());

        let before = fs::metadata(bench.here("back/node1/tree/plain")).unwrap();
        let again = bench.fetch(b"tree", "back/node1").await.unwrap();
        assert_eq!((again.changes, again.unchanged, again.bytes), (Vec::new(), 26, 0));
        let after = fs::metadata(bench.here("back/node1/tree/plain")).unwrap();
        assert_eq!((before.ino(), before.ctime_nsec()), (after.ino(), after.ctime_nsec()));
        assert_eq!(fs::read_dir(bench.here("back/node1")).unwrap().count(), 1, "nothing is left beside it");
    }
}

#[tokio::test]
async fn only_what_differs_is_fetched() {
    let bench = Bench::new();
    for name in ["same", "contents", "mode", "time", "new/file"] {
        write(&bench.there("tree").join(name), name.as_bytes(), 0o644);
    }
    symlink("same", bench.there("tree/link")).unwrap();
    bench.fetch(b"tree/", "node1").await.unwrap();
    let here = |name: &str| bench.here("node1").join(name);
    fs::write(here("contents"), b"CONTENTS").unwrap();
    fs::set_permissions(here("mode"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::File::open(here("time")).unwrap().set_modified(SystemTime::now()).unwrap();
    fs::remove_dir_all(here("new")).unwrap();
    fs::remove_file(here("link")).unwrap();
    let expected = ["~ contents", "+ link", "= mode", "+ new", "+ new/file", "= time"];
    let dry = Fetching { dry: true, ..from(b"tree/") };
    let before = picture(&bench.here("node1"), true);
    let sorted = |copied| {
        let mut lines = told(&copied);
        lines.sort_by_key(|line| line[2..].to_owned());
        lines
    };
    assert_eq!(sorted(fetch(&bench.host, &dry, &bench.here("node1"), &unheard()).await.unwrap()), expected);
    assert_eq!(picture(&bench.here("node1"), true), before, "a dry run changes nothing");
    assert_eq!(sorted(bench.fetch(b"tree/", "node1").await.unwrap()), expected);
    assert_eq!(picture(&bench.here("node1"), true), picture(&bench.there("tree"), true));
}

#[tokio::test]
async fn a_source_is_called_as_it_was_asked_for() {
    let bench = Bench::new();
    write(&bench.there("tree/file"), b"f", 0o644);
    symlink("tree/file", bench.there("link")).unwrap();
    symlink("tree", bench.there("link-to-tree")).unwrap();
    let absolute = bench.there("tree/file");
    for (source, here) in [
        (absolute.to_str().unwrap(), "n/file"),
        ("tree/file", "n/file"),
        ("tree/./file", "n/file"),
        ("link", "n/link"),
        ("link-to-tree", "n/link-to-tree/file"),
        ("tree/../tree/.", "n/tree/file"),
        ("tree/", "n/file"),
    ] {
        let _ = fs::remove_dir_all(bench.here("n"));
        bench.fetch(source.as_bytes(), "n").await.unwrap();
        let metadata = fs::symlink_metadata(bench.here(here)).unwrap();
        assert!(metadata.is_file(), "{source}");
        assert_eq!(fs::read(bench.here(here)).unwrap(), b"f", "{source}");
    }
    let named = Fetching { name: Some(b"other".to_vec()), ..from(b"tree/file") };
    let fetched = fetch(&bench.host, &named, &bench.here("n"), &unheard()).await.unwrap();
    assert_eq!(told(&fetched), ["+ other"]);
    assert_eq!(fs::read(bench.here("n/other")).unwrap(), b"f");

    let said = |error: TransferError| error.to_string();
    assert_eq!(said(bench.fetch(b"nowhere", "n").await.unwrap_err()), "there is no nowhere, or no way to it");
    assert_eq!(said(bench.fetch(b"/dev/null", "n").await.unwrap_err()), "/dev/null is no file and no directory");
    symlink("/dev/null", bench.there("tree/special-but-a-link")).unwrap();
    bench.fetch(b"tree", "n").await.unwrap();
    std::process::Command::new("mkfifo").arg(bench.there("tree/pipe")).status().unwrap();
    let fetched = bench.fetch(b"tree", "n").await.unwrap();
    assert_eq!((fetched.left_out.to_string().as_str(), bench.here("n/tree/pipe").exists()), ("1 pipe left out", false));
    assert!(bench.fetch(b"tree/file", "n").await.unwrap().left_out.is_empty());
}

#[tokio::test]
async fn what_is_here_is_not_written_through() {
    let bench = Bench::new();
    write(&bench.there("tree/sub/file"), b"there", 0o644);
    write(&bench.here("outside/file"), b"here", 0o600);
    fs::create_dir(bench.here("n")).unwrap();
    for link in ["n/tree", "n/tree/sub", "n/tree/sub/file"] {
        let target = if link.ends_with("file") { "outside/file" } else { "outside" };
        let path = bench.here(link);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            fs::remove_dir_all(&path).unwrap();
        } else {
            let _ = fs::remove_file(&path);
        }
        symlink(bench.here(target), &path).unwrap();
        bench.fetch(b"tree", "n").await.unwrap();
        assert_eq!(fs::read(bench.here("n/tree/sub/file")).unwrap(), b"there");
        assert_eq!(fs::read(bench.here("outside/file")).unwrap(), b"here", "{link}");
        assert_eq!(fs::read_dir(bench.here("outside")).unwrap().count(), 1, "{link}");
    }
    fs::remove_file(bench.here("n/tree/sub/file")).unwrap();
    fs::create_dir(bench.here("n/tree/sub/file")).unwrap();
    let error = bench.fetch(b"tree", "n").await.unwrap_err().to_string();
    assert!(error.ends_with("n/tree/sub/file is a directory here, and none there"), "{error}");
}

#[tokio::test]
async fn what_a_dead_run_left_is_removed_by_the_next() {
    let bench = Bench::new();
    write(&bench.there("file"), b"f", 0o644);
    let (dead, alive) = (bench.here("n/.kfleet-fetch-4194305.x"), bench.here("n/.kfleet-fetch-1.x"));
    write(&dead.join("file"), b"half", 0o600);
    write(&alive.join("file"), b"half", 0o600);
    bench.fetch(b"file", "n").await.unwrap();
    assert!(!dead.exists() && alive.exists());
}
