use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::bench::{Bench, nasty_tree, picture, to, write};
use crate::transfer::{Copying, Landing, TransferError};

fn reason(error: TransferError) -> String {
    error.to_string()
}

#[tokio::test]
async fn a_tree_arrives_as_it_is_and_is_left_alone_after_that() {
    for bench in [Some(Bench::new()), Bench::busybox()].into_iter().flatten() {
        let fine = bench.host.has_all_tools();
        nasty_tree(&bench.here("tree"));
        let first = bench.copy(&["tree"], to("new")).await.unwrap();
        assert_eq!(first.changes.len(), 26);
        let (here, there) = (picture(&bench.here("tree"), fine), picture(&bench.there("new/tree"), fine));
        for (path, what) in &here {
            assert_eq!(there.get(path), Some(what), "{:?}", String::from_utf8_lossy(path));
        }
        assert_eq!(here.len(), there.len());

        let before = fs::metadata(bench.there("new/tree/plain")).unwrap();
        let again = bench.copy(&["tree"], to("new")).await.unwrap();
        assert_eq!((again.changes, again.unchanged, again.bytes), (Vec::new(), 26, 0));
        let after = fs::metadata(bench.there("new/tree/plain")).unwrap();
        assert_eq!((before.ino(), before.ctime_nsec()), (after.ino(), after.ctime_nsec()));
        assert_eq!(fs::read_dir(bench.there("new")).unwrap().count(), 1, "nothing is left beside it");
    }
}

#[tokio::test]
async fn only_what_differs_is_changed() {
    for bench in [Some(Bench::new()), Bench::busybox()].into_iter().flatten() {
        for name in ["same", "contents", "mode", "time", "sub/gone"] {
            write(&bench.here("tree").join(name), name.as_bytes(), 0o644);
        }
        symlink("same", bench.here("tree/link")).unwrap();
        bench.copy(&["tree/"], to("tree")).await.unwrap();
        let there = |name: &str| bench.there("tree").join(name);
        // The same length: only the contents tell.
        fs::write(there("contents"), b"CONTENTS").unwrap();
        fs::set_permissions(there("mode"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::File::open(there("time")).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
        fs::remove_file(there("link")).unwrap();
        symlink("elsewhere", there("link")).unwrap();
        fs::remove_file(there("sub/gone")).unwrap();
        write(&there("extra/file"), b"", 0o644);
        write(&there("sub/-extra"), b"", 0o644);
        let dry = Copying { dry: true, ..to("tree") };
        let expected = ["~ contents", "~ link", "= mode", "+ sub/gone", "= time"];
        let before = picture(&bench.there("tree"), true);
        assert_eq!(bench.changed(&["tree/"], dry).await, expected);
        assert_eq!(picture(&bench.there("tree"), true), before, "a dry run changes nothing");
        assert_eq!(bench.changed(&["tree/"], to("tree")).await, expected);

        let deleting = Copying { delete: true, ..to("tree") };
        let mut removed = bench.changed(&["tree/"], deleting.clone()).await;
        removed.sort();
        assert_eq!(removed, ["- extra", "- sub/-extra"]);
        assert_eq!(bench.changed(&["tree/"], deleting).await, [""; 0]);
        let fine = bench.host.has_all_tools();
        let root_aside = |mut picture: std::collections::BTreeMap<_, _>| {
            picture.remove(&b""[..]);
            picture
        };
        assert_eq!(root_aside(picture(&bench.there("tree"), fine)), root_aside(picture(&bench.here("tree"), fine)),);
    }
}

#[tokio::test]
async fn a_destination_means_the_same_every_time_or_what_it_means_to_scp() {
    let bench = Bench::new();
    write(&bench.here("file"), b"f", 0o644);
    write(&bench.here("tree/inner"), b"t", 0o644);
    fs::create_dir(bench.there("dir")).unwrap();
    let scp = |destination: &str| Copying { landing: Landing::Scp, ..to(destination) };
    let cases: [(&[&str], Copying, &str); 9] = [
        (&["file"], to("dir"), "dir/file"),
        (&["file"], to("named"), "named"),
        (&["file"], to("fresh/"), "fresh/file"),
        (&["tree"], to("trees"), "trees/tree/inner"),
        (&["tree"], to("dir"), "dir/tree/inner"),
        (&["tree/"], to("contents"), "contents/inner"),
        (&["file", "tree"], to("several"), "several/tree/inner"),
        (&["tree"], scp("as"), "as/inner"),
        (&["tree"], scp("as"), "as/tree/inner"),
    ];
    for (sources, copying, there) in cases {
        assert!(!bench.there(there).exists(), "{there}");
        bench.copy(sources, copying.clone()).await.unwrap();
        assert!(bench.there(there).exists(), "{there}");
        if copying.landing == Landing::Inside {
            assert_eq!(bench.changed(sources, copying).await, [""; 0], "{there}");
        }
    }
    // Directories that are made for it are for all to see.
    assert_eq!(fs::metadata(bench.there("fresh")).unwrap().mode() & 0o777, 0o755);
    assert_eq!(fs::metadata(bench.there("trees")).unwrap().mode() & 0o777, 0o755);

    for (sources, copying, said) in [
        (&["file"][..], to("no/such/file"), "there is no directory ./no/such/"),
        (&["tree"], to("no/such"), "there is no directory"),
        (&["file", "tree"], to("named"), "./named is there and is no directory"),
        (&["file", "tree"], scp("nowhere"), "there is no directory ./nowhere"),
        (&["tree"], to("named"), "is there and is no directory"),
    ] {
        let error = reason(bench.copy(sources, copying).await.unwrap_err());
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn what_is_in_the_way_is_not_removed_but_links_are_never_followed() {
    let bench = Bench::new();
    write(&bench.here("tree/name/file"), b"new", 0o644);
    write(&bench.here("tree/other"), b"new", 0o644);
    write(&bench.there("outside/file"), b"old", 0o644);
    fs::create_dir(bench.there("tree")).unwrap();
    symlink("../outside", bench.there("tree/name")).unwrap();
    let error = reason(bench.copy(&["tree"], to(".")).await.unwrap_err());
    assert_eq!(error, "name is a symbolic link there, where a directory is to be");
    fs::remove_file(bench.there("tree/name")).unwrap();
    fs::create_dir(bench.there("tree/other")).unwrap();
    let error = reason(bench.copy(&["tree"], to(".")).await.unwrap_err());
    assert_eq!(error, "other is a directory there, where a file is to be");
    assert!(!bench.there("tree/name").exists(), "nothing was changed");
    // A link where a file is to be is replaced, and what it leads to is not touched.
    fs::remove_dir(bench.there("tree/other")).unwrap();
    symlink("../outside", bench.there("tree/other")).unwrap();
    assert_eq!(bench.changed(&["tree"], to(".")).await, ["+ name", "+ name/file", "~ other"]);
    assert_eq!(fs::read(bench.there("tree/other")).unwrap(), b"new");
    assert_eq!(fs::read_dir(bench.there("outside")).unwrap().count(), 1);
}

#[tokio::test]
async fn owners_and_modes_are_the_ones_asked_for_or_stay() {
    let bench = Bench::new();
    if fs::metadata(bench.path("here")).unwrap().uid() != 0 {
        println!("left out: only root gives files away");
        return;
    }
    write(&bench.here("file"), b"new", 0o4711);
    write(&bench.there("file"), b"old", 0o644);
    std::os::unix::fs::chown(bench.there("file"), Some(12), Some(34)).unwrap();
    let of = |name: &str| {
        let metadata = fs::metadata(bench.there(name)).unwrap();
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
    };
    bench.copy(&["file"], to("file")).await.unwrap();
    assert_eq!(of("file"), (12, 34, 0o4711), "who replaces a file takes nobody's file away");
    bench.copy(&["file"], to("fresh")).await.unwrap();
    assert_eq!(of("fresh"), (0, 0, 0o4711));
    let copying = Copying { owner: Some("daemon:7".to_owned()), mode: Some(0o640), ..to("file") };
    assert_eq!(bench.changed(&["file"], copying.clone()).await, ["= file"]);
    assert_eq!(of("file"), (1, 7, 0o640));
    assert_eq!(bench.changed(&["file"], copying).await, [""; 0]);
    let copying = Copying { owner: Some("nobody-of-that-name".to_owned()), ..to("fresh") };
    let error = bench.copy(&["file"], copying).await.unwrap_err();
    let TransferError::Refused { reason, output, .. } = error else { panic!("{error:?}") };
    assert_eq!(reason, "cannot put ./fresh in place");
    assert!(output[0].contains("nobody-of-that-name"), "{output:?}");
}

#[tokio::test]
async fn delete_stays_out_of_everybodys_directories() {
    let bench = Bench::new();
    write(&bench.here("tree/file"), b"", 0o644);
    for place in ["/", "/etc", "/usr/../usr/", "/tmp", "/root"] {
        let copying = Copying { delete: true, dry: true, ..to(place) };
        let error = reason(bench.copy(&["tree/"], copying).await.unwrap_err());
        assert!(error.starts_with("--delete does not clear /"), "{error}");
    }
    write(&bench.here("etc/file"), b"", 0o644);
    let copying = Copying { delete: true, dry: true, ..to("/") };
    let error = reason(bench.copy(&["tree", "etc"], copying).await.unwrap_err());
    assert!(error.starts_with("--delete does not clear //etc"), "{error}");
    // A tree of its own in one of them is another thing.
    let copying = Copying { delete: true, dry: true, ..to("/etc") };
    assert_eq!(bench.changed(&["tree"], copying).await, ["+ ", "+ file"]);
}

#[tokio::test]
async fn pipes_in_a_tree_are_left_out_and_are_no_surplus() {
    let bench = Bench::new();
    write(&bench.here("tree/file"), b"f", 0o644);
    std::process::Command::new("mkfifo").arg(bench.here("tree/pipe")).status().unwrap();
    let parcel = crate::transfer::Parcel::read(&[bench.here("tree")]).unwrap();
    assert_eq!(parcel.left_out.to_string(), "1 pipe left out");
    write(&bench.there("tree/pipe"), b"of the host", 0o644);
    write(&bench.there("tree/surplus"), b"", 0o644);
    let deleting = Copying { delete: true, ..to(".") };
    let mut changed = bench.changed(&["tree"], deleting).await;
    changed.retain(|line| line != "= ");
    assert_eq!(changed, ["+ file", "- surplus"]);
    let error = crate::transfer::Parcel::read(&[bench.here("tree/pipe")]).unwrap_err().to_string();
    assert!(error.contains("tree/pipe is a pipe: only files"), "{error}");
}

#[tokio::test]
async fn what_is_damaged_or_cut_short_takes_no_place() {
    let bench = Bench::new();
    write(&bench.here("tree/a"), b"first", 0o644);
    write(&bench.here("tree/b"), b"second", 0o644);
    bench.copy(&["tree"], to(".")).await.unwrap();
    let sources = [bench.here("tree")];
    write(&bench.here("tree/a"), b"first, changed", 0o644);
    write(&bench.here("tree/b"), b"second, changed", 0o644);
    let parcel = std::sync::Arc::new(crate::transfer::Parcel::read(&sources).unwrap());
    for now in [&b"second, written"[..], b"short"] {
        write(&bench.here("tree/b"), now, 0o644);
        let error = crate::transfer::copy(&bench.host, &parcel, &to("."), &super::bench::unheard()).await.unwrap_err();
        assert!(error.to_string().ends_with("tree/b changed while it was read; nothing was put in place"), "{error}");
        assert_eq!(fs::read(bench.there("tree/a")).unwrap(), b"first");
        assert_eq!(fs::read_dir(bench.there("tree")).unwrap().count(), 2, "nothing is left of it");
        write(&bench.here("tree/b"), b"second, changed", 0o644);
    }
}

#[tokio::test]
async fn what_a_dead_run_left_is_removed_by_the_next_and_a_living_ones_is_not() {
    let bench = Bench::new();
    write(&bench.here("tree/a"), b"first", 0o644);
    bench.copy(&["tree"], to(".")).await.unwrap();
    let node = String::from_utf8(std::process::Command::new("uname").arg("-n").output().unwrap().stdout).unwrap();
    let left = |process: u32| bench.there("tree").join(format!(".kfleet-copy-{}.{process}.mark", node.trim()));
    let (dead, alive) = (left(4_194_305), left(std::process::id()));
    write(&dead.join("1"), b"half", 0o600);
    write(&alive.join("1"), b"half", 0o600);
    let copying = Copying { delete: true, ..to(".") };
    assert_eq!(bench.changed(&["tree"], copying).await, [""; 0]);
    assert!(!dead.exists() && alive.exists());
}
