//! Where kfleet does it better than pssh, as the help texts say.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::stage::{Call, Stage};

const F: [&str; 2] = ["-x", "-F {F}"];

fn status(stage: &Stage, program: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments = [&F, arguments].concat();
    let ran = stage.kfleet(Call::new(program, &arguments));
    (ran.status, ran.stdout() + &ran.stderr)
}

#[test]
fn what_ssh_cannot_do_is_said_by_kfleet() {
    let Some(stage) = Stage::set() else { return };
    let (code, said) = status(&stage, "pssh", &["-i", "-H", "root@127.0.0.1:1", "true"]);
    assert_eq!(code, Some(4));
    assert!(
        said.starts_with("[N] TIME [FAILURE] root@127.0.0.1:1 Exited with error code 255\nStderr: kfleet: "),
        "{said}"
    );
    assert!(said.contains("Connection refused"), "{said}");
    // -q asks ssh not to say it.
    let (_, said) = status(&stage, "pssh", &["-x", "-q", "-i", "-H", "127.0.0.1:1", "true"]);
    assert_eq!(said, "[N] TIME [FAILURE] 127.0.0.1:1 Exited with error code 255\n");
    // A key that is not known.
    let (code, said) = status(&stage, "pssh", &["-O", "UserKnownHostsFile=/dev/null", "-i", "-H", "one", "true"]);
    assert_eq!(code, Some(4));
    assert!(said.contains("is not known"), "{said}");
    // And without -i nothing of it, as pssh has it.
    let (_, said) = status(&stage, "pssh", &["-H", "127.0.0.1:1", "true"]);
    assert_eq!(said, "[N] TIME [FAILURE] 127.0.0.1:1 Exited with error code 255\n");
}

#[test]
fn what_cannot_be_mapped_is_an_error() {
    let Some(stage) = Stage::set() else { return };
    for (program, arguments) in [
        ("pssh", &["-x", "-tt", "-H", "one", "true"][..]),
        ("pssh", &["-O", "ForwardAgent=yes", "-H", "one", "true"]),
        ("pssh", &["-O", "NoSuchOption=yes", "-H", "one", "true"]),
        ("pssh", &["-X", "word", "-H", "one", "true"]),
        ("pssh", &["-p", "0", "-H", "one", "true"]),
        // Of all hosts, and so of none alone.
        ("pssh", &["-x", "-p port", "-H", "one two", "true"]),
        ("pssh", &["-O", "Port=port", "-H", "one two", "true"]),
        ("pscp", &["-x", "-l 100 -C", "-H", "one", "file", "/nowhere/file"]),
    ] {
        let arguments = [&F, arguments].concat();
        let ran = stage.kfleet(Call::new(program, &arguments));
        assert_eq!(ran.status, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.starts_with("kfleet: "), "{ran:?}");
        assert_eq!(ran.stdout(), "", "no host was touched");
    }
}

#[test]
fn a_command_whose_time_is_over_is_ended() {
    let Some(stage) = Stage::set() else { return };
    let seconds = format!("60.{}", stage.sshd.port);
    let (code, said) = status(&stage, "pssh", &["-t", "1", "-H", "one", "sleep", &seconds]);
    assert_eq!((code, said.as_str()), (Some(3), "[N] TIME [FAILURE] one Timed out, Killed by signal 9\n"));
    assert!(!is_running(&format!("sleep {seconds}")));
}

#[test]
fn ctrl_c_and_a_closed_terminal_end_everything_and_say_so() {
    let Some(stage) = Stage::set() else { return };
    for signal in ["INT", "HUP"] {
        ends_everything(&stage, signal);
    }
}

fn ends_everything(stage: &Stage, signal: &str) {
    let seconds = format!("61.{}", stage.sshd.port);
    let config = format!("-F {}", stage.sshd.path("ssh_config").display());
    let child = Command::new("env")
        .args([
            &format!("--default-signal={signal}"),
            &stage.link("pssh"),
            "-x",
            &config,
            "-p",
            "2",
            "-H",
            "one two three",
            "sleep",
            &seconds,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !is_running(&format!("sleep {seconds}")) {
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{signal}");
    let said = String::from_utf8(output.stdout).unwrap();
    let count = |word: &str| said.lines().filter(|line| line.ends_with(word)).count();
    assert_eq!((count("Interrupted"), count("three Cancelled")), (2, 1), "{said}");
    assert!(!is_running(&format!("sleep {seconds}")));
}

#[test]
fn printed_lines_are_whole() {
    let Some(stage) = Stage::set() else { return };
    let command = "printf 'one\ntw'; sleep 0.3; printf 'o\nthree'; echo bad >&2";
    let (_, said) = status(&stage, "pssh", &["-P", "-H", "one", command]);
    assert_eq!(said, "one: one\none: three\none: two\n[N] TIME [SUCCESS] one\none: bad\n");
}

#[test]
fn a_command_need_not_read_its_input() {
    let Some(stage) = Stage::set() else { return };
    let much = "0123456789abcde\n".repeat(200_000);
    let arguments = [&F[..], &["-I", "-H", "one two", "true"]].concat();
    let ran = stage.kfleet(Call { stdin: &much, ..Call::new("pssh", &arguments) });
    assert_eq!((ran.status, ran.blocks.len()), (Some(0), 2), "{ran:?}");
}

#[test]
fn later_versions_options_are_there() {
    let Some(stage) = Stage::set() else { return };
    let bare = ["-i", "--no-headers", "-H", "one", "echo out; echo bad >&2"];
    assert_eq!(status(&stage, "pssh", &bare), (Some(0), "bad\nout\n".to_owned()), "in the order of sorted lines");
    let append = [&F[..], &["--fileappend", "-o", "there", "-H", "one", "-g", "x"], &["echo more"]].concat();
    let ran = stage.kfleet(Call::new("pssh", &append));
    assert_eq!(ran.files["there/one"], "644 more\n");
    let download = [&F[..], &["--download", "-H", "one", "{here}/file", "{here}/tree/a file", "got"]].concat();
    let ran = stage.kfleet(Call::new("pscp", &download));
    assert_eq!(
        (ran.files["got/one/file"].as_str(), ran.files["got/one/a file"].as_str()),
        ("640 text\nof a file", "755 one")
    );
    let rsync = ["-S", "-F {F}", "-d", "-a", "-H", "one", "{here}/tree/", "got"];
    let ran = stage.kfleet(Call::new("prsync", &rsync));
    assert_eq!((ran.status, ran.files["got/one/a file"].as_str()), (Some(0), "755 one"));
}

#[test]
fn a_host_without_a_port_has_a_directory_of_its_name() {
    let Some(stage) = Stage::set() else { return };
    let arguments = [&F[..], &["-H", "one two:{port}", "{here}/file", "name"]].concat();
    let ran = stage.kfleet(Call::new("pslurp", &arguments));
    assert_eq!(ran.files["one/name"], "640 text\nof a file");
    assert_eq!(ran.files[&format!("two:{}/name", stage.sshd.port)], "640 text\nof a file");
}

/// The lines of the notes that this replaces pssh for.
#[test]
fn the_notes_lines_work_unchanged() {
    let Some(stage) = Stage::set() else { return };
    // Where there is sudo, it is root's own; the rest of the line is the same.
    let sudo = if std::path::Path::new("/usr/bin/sudo").exists() { "sudo " } else { "" };
    let command = format!("{sudo}sh -c 'echo --add-port=6443/tcp; echo success'");
    let (code, said) = status(&stage, "pssh", &["-ih", "kube", &command]);
    assert_eq!(code, Some(0));
    let block = |host: &str| format!("[N] TIME [SUCCESS] {host}\n--add-port=6443/tcp\nsuccess\n");
    assert_eq!(said, block("one") + &block("two"));
    let arguments = [&F[..], &["-h", "kube", "/etc/hosts", "{here}/hosts"]].concat();
    let ran = stage.kfleet(Call::new("pscp.pssh", &arguments));
    assert_eq!(ran.stdout(), "[N] TIME [SUCCESS] one\n[N] TIME [SUCCESS] two\n");
    assert!(ran.files["hosts"].contains("localhost"), "{ran:?}");
}

fn is_running(command: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let wanted: Vec<u8> = command.bytes().map(|byte| if byte == b' ' { 0 } else { byte }).chain([0]).collect();
    lines.into_iter().any(|line| line == wanted)
}
