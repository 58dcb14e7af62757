use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::files::{holds, noise};
use crate::fleet::Fleet;

fn nasty_tree(root: &Path) {
    let file = |name: &[u8], contents: &[u8], mode: u32| {
        let path = root.join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        let time = UNIX_EPOCH + Duration::new(1_234_567_890, 123_456_789);
        fs::File::open(&path).unwrap().set_modified(time).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    file(b"plain", b"plain\n", 0o644);
    file(b"empty", b"", 0o400);
    file(b"-rf", b"dash", 0o755);
    file(b"a  b/c d", b"blanks", 0o640);
    file(b"line\nend\n", b"line ends", 0o644);
    file(b"it's \"$x\" `y` \\0101 *", b"quotes", 0o644);
    file(b"latin-\xe9\xff", b"bytes", 0o644);
    file("☸ é".as_bytes(), &noise(1_000_003), 0o600);
    for number in 0..300 {
        file(format!("many/{:02}/{number}", number % 20).as_bytes(), &noise(number), 0o644);
    }
    fs::create_dir(root.join("nothing in it")).unwrap();
    fs::set_permissions(root.join("nothing in it"), fs::Permissions::from_mode(0o1777)).unwrap();
    symlink("plain", root.join("link")).unwrap();
    symlink("/nowhere/a b\nc", root.join("dangling")).unwrap();
}

/// Everything in a tree; `changed` says when it was written to last, contents or attributes, and which file it is.
fn picture(root: &Path, changed: bool) -> BTreeMap<Vec<u8>, String> {
    let mut all = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mut text = format!("{:o} ", metadata.mode());
        if metadata.is_symlink() {
            text += &format!("{:?}", fs::read_link(&path).unwrap());
        } else {
            text += &format!("{}.{} ", metadata.mtime(), metadata.mtime_nsec());
        }
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if metadata.is_file() {
            text += &format!("{:?}", fs::read(&path).unwrap());
        }
        if changed {
            text += &format!(" {} {}.{}", metadata.ino(), metadata.ctime(), metadata.ctime_nsec());
        }
        all.insert(path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec(), text);
    }
    all
}

fn same(one: &BTreeMap<Vec<u8>, String>, other: &BTreeMap<Vec<u8>, String>) {
    for (path, what) in one {
        assert!(other.get(path) == Some(what), "{:?} is not the same", String::from_utf8_lossy(path));
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn a_tree_goes_to_every_host_and_comes_back_byte_for_byte() {
    let Some(fleet) = Fleet::start() else { return };
    nasty_tree(&fleet.path("tree"));
    let here = picture(&fleet.path("tree"), false);
    let ran = fleet.run(&["copy", "tree", "srv"]).well();
    assert!(ran.stdout.ends_with("s\n") && ran.stdout.contains("8 hosts: 8 changed, 0 failed"), "{}", ran.stdout);
    for host in 1..=Fleet::HOSTS {
        same(&here, &picture(&fleet.there(host, "srv/tree"), false));
    }
    let before = picture(&fleet.there(1, "srv/tree"), true);
    let ran = fleet.run(&["copy", "tree", "srv"]).well();
    assert!(ran.stdout.contains("8 hosts: nothing to change: 0 changed, 0 failed"), "{}", ran.stdout);
    same(&before, &picture(&fleet.there(1, "srv/tree"), true));

    fleet.run(&["fetch", "srv/tree", "back"]).well();
    for host in 1..=Fleet::HOSTS {
        same(&here, &picture(&fleet.path("back").join(format!("node{host}/tree")), false));
    }
    let before = picture(&fleet.path("back"), true);
    let ran = fleet.run(&["fetch", "srv/tree", "back"]).well();
    assert!(ran.stdout.contains("8 hosts: nothing to change: 0 changed, 0 failed"), "{}", ran.stdout);
    same(&before, &picture(&fleet.path("back"), true));
}

#[test]
fn delete_makes_a_tree_the_same_and_leaves_its_neighbours() {
    let Some(fleet) = Fleet::start() else { return };
    fs::create_dir_all(fleet.path("tree/kept")).unwrap();
    fs::write(fleet.path("tree/kept/file"), "file").unwrap();
    for name in ["srv/tree/gone/deep/file", "srv/tree/kept/-rf", "srv/tree/line\nend", "srv/neighbour/file"] {
        let path = fleet.there(2, name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "there").unwrap();
    }
    let on = ["--hosts", "node2", "--delete", "tree", "srv"];
    let dry = fleet.run(&[&["copy", "-n"], &on[..]].concat()).well();
    let base = fleet.there(2, "srv/tree");
    for line in ["+ B/kept/file", "- B/gone", "- B/kept/-rf", "- B/lineend"] {
        let line = format!("    {}\n", line.replace('B', base.to_str().unwrap()));
        assert!(dry.stdout.contains(&line), "{line} in {}", dry.stdout);
    }
    assert!(base.join("gone/deep/file").exists());
    fleet.run(&[&["copy"], &on[..]].concat()).well();
    same(&picture(&fleet.path("tree"), false), &picture(&base, false));
    assert!(holds(&fleet.there(2, "srv/neighbour/file"), b"there"));

    let ran = fleet.run(&["copy", "-n", "--hosts", "node2", "--delete", "tree/", "/etc"]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("--delete does not clear /etc"), "{}", ran.stderr);
}
