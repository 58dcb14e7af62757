use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files::{asides, holds, noise};
use crate::fleet::Fleet;
use crate::sshd::Sshd;

/// A small file system of its own; it goes with the test.
struct Small(PathBuf);

impl Small {
    /// `None`, with the reason on stdout, where this machine does not let one be mounted.
    fn mount(path: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).output().unwrap();
        if !mounted.status.success() {
            println!("left out: nothing can be mounted: {}", String::from_utf8_lossy(&mounted.stderr));
            return None;
        }
        Some(Self(path.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_or_read_only_disk_is_its_hosts_trouble_alone() {
    let Some(fleet) = Fleet::start() else { return };
    let Some(_full) = Small::mount(&fleet.there(3, "disk"), "size=4m") else { return };
    let Some(_read_only) = Small::mount(&fleet.there(4, "disk"), "ro") else { return };
    for host in [1, 2, 5, 6, 7, 8] {
        fs::create_dir(fleet.there(host, "disk")).unwrap();
    }
    fs::write(fleet.there(3, "disk/file"), "old").unwrap();
    fs::write(fleet.there(5, "disk/file"), "old").unwrap();
    let contents = noise(9_000_000);
    fs::write(fleet.path("file"), &contents).unwrap();
    let ran = fleet.run(&["copy", "file", "disk"]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(
        ran.stderr.contains("node3: failed: copy: cannot take the files: no space left on device"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("node4: failed: copy: cannot write there: read-only file system"), "{}", ran.stderr);
    assert!(ran.stdout.contains("8 hosts: 6 changed, 2 failed"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("failed: node3 node4\n"), "{}", ran.stdout);
    for host in [1, 2, 5, 6, 7, 8] {
        assert!(holds(&fleet.there(host, "disk/file"), &contents), "node{host}");
    }
    assert!(holds(&fleet.there(3, "disk/file"), b"old"));
    assert!(asides(&fleet).is_empty(), "what came is cleared away");

    // Those two, and no other.
    let ran = fleet.run(&["copy", "--failed", "file", "disk"]);
    assert!(ran.stdout.contains("2 hosts: 0 changed, 2 failed"), "{}", ran.stdout);
}

#[test]
fn what_is_in_place_before_a_failure_is_counted() {
    let Some(fleet) = Fleet::start() else { return };
    let Some(_read_only) = Small::mount(&fleet.there(1, "tree/sub"), "ro") else { return };
    fs::create_dir_all(fleet.path("tree/sub")).unwrap();
    for name in ["a", "b", "sub/c"] {
        fs::write(fleet.path("tree").join(name), name).unwrap();
    }
    let ran = fleet.run(&["copy", "--json", "--hosts", "node1", "tree", "."]);
    assert_eq!(ran.status, Some(5), "{ran:?}");
    assert!(holds(&fleet.there(1, "tree/a"), b"a") && !fleet.there(1, "tree/sub/c").exists());
    let last: serde_json::Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["tallies"][0]["changed"], serde_json::json!(["2 paths"]), "{last}");
}

#[test]
fn a_tilde_is_the_home_of_who_logs_in() {
    let Some(fleet) = Fleet::start() else { return };
    fs::write(fleet.path("file"), "file").unwrap();
    for (destination, there) in [("~", "file"), ("~/named", "named"), ("./~", "~")] {
        fleet.run(&["copy", "--hosts", "node1", "file", destination]).well();
        assert!(holds(&fleet.there(1, there), b"file"), "{destination}");
    }
    fleet.run(&["fetch", "--hosts", "node1", "~/named", "back"]).well();
    assert!(holds(&fleet.path("back/node1/named"), b"file"));
    for nowhere in ["~root/x", "node1:/tmp/x"] {
        let ran = fleet.run(&["copy", "--hosts", "node1", "file", nowhere]);
        assert_eq!(ran.status, Some(2), "{ran:?}");
    }
    // Patterns are not expanded, and that is said.
    let ran = fleet.run(&["fetch", "--hosts", "node1", "nam*", "back"]);
    assert!(ran.stderr.contains("patterns are not expanded"), "{}", ran.stderr);
}

#[test]
fn a_login_shell_that_runs_nothing_is_quoted() {
    let Some(fleet) = Fleet::start() else { return };
    let nologin = "ForceCommand echo This account is currently not available.; exit 1";
    let Some(sshd) = Sshd::with(nologin, &["ed25519"]) else { return };
    fs::write(fleet.path("file"), "file").unwrap();
    let host = format!("127.0.0.1:{}", sshd.port);
    let options = ["IdentityFile", "UserKnownHostsFile"].map(|option| {
        let file = if option == "IdentityFile" { "id" } else { "known_hosts" };
        format!("{option}={}", sshd.path(file).display())
    });
    for arguments in [["copy", "file", "/tmp/none"], ["fetch", "/tmp/none", "."]] {
        let ways = ["-H", &host, "-l", "root", "-o", &options[0], "-o", &options[1]];
        let ran = fleet.run(&[&arguments[..1], &ways, &arguments[1..]].concat());
        assert_eq!(ran.status, Some(5), "{ran:?}");
        assert!(ran.stderr.contains("This account is currently not available."), "{ran:?}");
    }
}

#[test]
fn what_cannot_be_is_said_of_each_host_and_at_the_right_end() {
    let Some(fleet) = Fleet::start() else { return };
    fs::create_dir(fleet.path("tree")).unwrap();
    fs::write(fleet.path("tree/file"), "file").unwrap();
    fs::write(fleet.there(1, "occupied"), "file").unwrap();
    let only = ["--hosts", "node1"];
    for (arguments, status, said) in [
        (&["copy", "tree/file", "no/such/place"][..], 5, "there is no directory ./no/such/"),
        (&["copy", "tree", "occupied"], 5, "./occupied is there and is no directory"),
        (&["copy", "nothing", "."], 1, "cannot read nothing: No such file"),
        (&["copy", "/dev/null", "."], 1, "/dev/null is a device: only files"),
        (&["copy", "tree/file", "-", "."], 2, "stdin is one file"),
        (&["copy", "--delete", "tree/file", "."], 2, "--delete is for trees"),
        (&["copy", "--mode", "99", "tree", "."], 2, "an octal mode is wanted"),
        (&["copy", "--owner", "a b", "tree", "."], 2, "USER, USER:GROUP or :GROUP"),
        (&["copy", "--owner", "nobody-of-that-name", "tree/file", "."], 5, "cannot put ./file in place"),
        (&["copy", "tree"], 2, "<DEST>"),
        (&["fetch", "nowhere", "facts"], 5, "there is no nowhere, or no way to it"),
        (&["fetch", "/dev/null", "facts"], 5, "/dev/null is no file and no directory"),
        (&["fetch", "occupied", "inventory.toml"], 1, "inventory.toml/node1/occupied: Not a directory"),
    ] {
        let ran = fleet.run(&[&arguments[..1], &only, &arguments[1..]].concat());
        assert_eq!(ran.status, Some(status), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    assert!(asides(&fleet).is_empty());
}
