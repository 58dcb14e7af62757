use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, SystemTime};

use crate::files::{holds, noise};
use crate::fleet::Fleet;

#[test]
fn stdin_is_read_once_for_all_hosts() {
    let Some(fleet) = Fleet::start() else { return };
    let contents = noise(3_000_000);
    // The host's clock and this one are one; times are told in whole seconds.
    let before = SystemTime::now() - Duration::from_secs(1);
    let ran = fleet.reading(&["copy", "--mode", "640", "-", "sub"], &contents);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for host in 1..=Fleet::HOSTS {
        assert!(holds(&fleet.there(host, "sub"), &contents), "node{host}");
        let metadata = fs::metadata(fleet.there(host, "sub")).unwrap();
        assert_eq!(metadata.mode() & 0o7777, 0o640);
        assert!(metadata.modified().unwrap() >= before, "node{host}: {:?}", metadata.modified());
    }
    let ran = fleet.reading(&["copy", "--mode", "640", "-", "sub"], &contents);
    assert!(ran.stdout.contains("nothing to change"), "{}", ran.stdout);
    for (destination, status, said) in [("sub/", 2, "stdin has no name"), ("/tmp", 5, "/tmp is a directory there")] {
        let ran = fleet.reading(&["copy", "--hosts", "node1", "-", destination], b"x");
        assert_eq!(ran.status, Some(status), "{ran:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn a_program_is_told_what_a_person_is() {
    let Some(fleet) = Fleet::start() else { return };
    fs::write(fleet.path("file"), noise(600_000)).unwrap();
    let objects = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let ran = fleet.run(arguments).well();
        assert_eq!(ran.stderr, "");
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let named = |objects: &[serde_json::Value], name: &str| -> Vec<serde_json::Value> {
        objects.iter().filter(|object| object["event"] == name).cloned().collect()
    };
    let all = objects(&["copy", "--json", "-v", "--hosts", "node[1-2]", "file", "."]);
    assert_eq!(all[0]["hosts"], serde_json::json!(["node1", "node2"]));
    let moved = named(&all, "bytes-moved");
    let last = moved.iter().rfind(|object| object["host"] == "node1").unwrap();
    assert_eq!((last["done"].as_u64(), last["total"].as_u64()), (Some(600_000), Some(600_000)));
    let changed = named(&all, "step-changed");
    assert_eq!(changed.len(), 2);
    let node1 = changed.iter().find(|object| object["host"] == "node1").unwrap();
    assert_eq!(node1["diff"], serde_json::json!([format!("+ {}", fleet.there(1, "file").display())]));
    assert_eq!(all.last().unwrap()["outcome"], "succeeded");

    let again = objects(&["copy", "--json", "--hosts", "node[1-2]", "file", "."]);
    assert_eq!(named(&again, "step-unchanged").len(), 2);
    fs::set_permissions(fleet.path("file"), fs::Permissions::from_mode(0o751)).unwrap();
    let attributes = objects(&["copy", "--json", "--hosts", "node1", "file", "."]);
    let diff = named(&attributes, "step-changed")[0]["diff"][0].as_str().unwrap().to_owned();
    assert!(diff.ends_with("/file (mode, time or owner)"), "{diff}");
    assert_eq!(fs::metadata(fleet.there(1, "file")).unwrap().mode() & 0o7777, 0o751);
    let fetched = objects(&["fetch", "--json", "--hosts", "node1", "file", "facts"]);
    assert_eq!(named(&fetched, "step-changed")[0]["diff"], serde_json::json!(["+ facts/node1/file"]));
}
