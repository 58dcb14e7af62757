use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::fleet::Fleet;

fn objects(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a host wrote, put together again.
fn wrote(objects: &[Value], host: &str, stream: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for object in objects.iter().filter(|o| o["event"] == "output" && o["host"] == host && o["stream"] == stream) {
        match object["line"].as_str() {
            Some(line) => bytes.extend_from_slice(line.as_bytes()),
            None => bytes.extend(BASE64_STANDARD.decode(object["line_base64"].as_str().unwrap()).unwrap()),
        }
        if object["partial"] == false {
            bytes.push(b'\n');
        }
    }
    bytes
}

#[test]
fn programs_read_all_that_was_written_and_how_it_ended() {
    let Some(fleet) = Fleet::start() else { return };
    let (out, err) = ("one\\n\\ntab\\t\\033[31m\\r\\nlatin \\351 end", "\\0\\377\\n");
    let command = format!(
        "printf '{out}'; printf '{err}' >&2; set -- $SSH_CONNECTION; case $3 in *.3) exit 7;; *.4) kill -9 $$;; *.5) sleep 60;; esac"
    );
    let ran = fleet.run(&["run", "--json", "-t", "6", "--hosts", "node[1-4]", &command]);
    assert_eq!(ran.status, Some(3));
    let objects = objects(&ran.stdout);
    for host in ["node1", "node2", "node3"] {
        assert_eq!(wrote(&objects, host, "stdout"), b"one\n\ntab\t\x1b[31m\r\nlatin \xe9 end");
        assert_eq!(wrote(&objects, host, "stderr"), b"\0\xff\n");
    }
    let ended = |host: &str| objects.iter().find(|o| o["event"] == "host-ended" && o["host"] == host).unwrap();
    assert_eq!((&ended("node1")["status"], &ended("node2")["status"]), (&0.into(), &7.into()));
    assert_eq!(ended("node3")["signal"], "KILL");
    assert_eq!(ended("node4")["failure"]["kind"], "deadline");
    assert_eq!(ended("node4")["failure"]["reason"], "not done within 6 s");
    let last = objects.last().unwrap();
    assert_eq!((&last["event"], &last["outcome"], &last["hosts"]), (&"finished".into(), &"failed".into(), &4.into()));
    assert_eq!(last["failed"], serde_json::json!(["node2", "node3", "node4"]));
    assert!(ran.stdout.bytes().all(|byte| byte == b'\n' || byte >= b' '), "nothing speaks to a terminal");
}
