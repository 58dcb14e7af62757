use std::fs;
use std::os::unix::fs::PermissionsExt;

use secrecy::ExposeSecret;

use super::shell_host::{Bench, run, script_of, step, write};
use crate::engine::apply::actions;
use crate::events::{Event, Failure, FailureKind};
use crate::plan::Planned;
use crate::steps::{Action, Contents, Yields};

async fn carry_out(bench: &Bench, steps: &[Planned]) -> Result<Vec<String>, Failure> {
    let session = bench.session("h1");
    let turn = session.turn().await;
    let steps: Vec<&Planned> = steps.iter().collect();
    let yielded = actions(&session, &turn, &steps, None).await?;
    Ok(yielded.into_iter().map(|(_, value)| value.expose_secret().to_owned()).collect())
}

fn text(text: &str) -> Contents {
    Contents::Text(text.to_owned())
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_first_action_that_fails_is_the_last_and_speaks_for_itself() {
    let mut bench = Bench::new(1);
    let steps = [
        step("one", vec![run("echo one >> done")]),
        step("two", vec![run("echo out; echo err >&2; false; echo never >> done"), run("echo never >> done")]),
        step("three", vec![run("echo never >> done")]),
    ];
    let failure = carry_out(&bench, &steps).await.unwrap_err();
    assert_eq!(bench.read("done").unwrap(), "one\n");
    assert_eq!((failure.kind, failure.step.as_deref()), (FailureKind::Step, Some("two")));
    assert_eq!(failure.status.as_deref(), Some("exit status 1"));
    assert_eq!(failure.output, ["out", "err"]);
    let told = bench.told();
    let steps: Vec<&str> = told.iter().map(String::as_str).filter(|event| event.starts_with("step-")).collect();
    assert_eq!(steps, ["step-started h1 one", "step-changed h1 one", "step-started h1 two"]);
}

#[tokio::test]
async fn a_status_is_the_actions_own_and_stdin_is_empty() {
    for (script, status) in [("exit 7", Some("exit status 7")), ("cat", None), ("( exit 3 )", Some("exit status 3"))] {
        let bench = Bench::new(1);
        let failure = carry_out(&bench, &[step("s", vec![run(script)])]).await.err();
        assert_eq!(failure.and_then(|failure| failure.status).as_deref(), status, "{script}");
    }
}

#[tokio::test]
async fn a_value_is_what_stdout_says_and_nothing_of_it_is_shown() {
    let mut bench = Bench::new(1);
    let capture = Action::Capture(Yields::AdminKubeconfig, script_of("printf 'a\\nsecret\\n'"));
    let yielded = carry_out(&bench, &[step("s", vec![run("echo before"), capture])]).await.unwrap();
    assert_eq!(yielded, ["a\nsecret\n"]);
    let mut shown = Vec::new();
    while let Ok(event) = bench.told.try_recv() {
        shown.push(serde_json::to_string(&event).unwrap());
    }
    let shown = shown.join("\n");
    assert!(shown.contains("before") && !shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn output_without_end_is_told_in_part_and_its_end_is_kept() {
    for (script, lines, ends_well) in
        [("seq 10005; exit 3", 10_001, false), ("seq 10005", 10_001, true), ("seq 9", 9, true)]
    {
        let mut bench = Bench::new(1);
        let ended = carry_out(&bench, &[step("s", vec![run(script)])]).await;
        let mut told = Vec::new();
        while let Ok(event) = bench.told.try_recv() {
            if let Event::OutputReceived { line, .. } = event {
                told.push(line);
            }
        }
        assert_eq!((told.len(), ended.is_ok()), (lines, ends_well), "{script}");
        assert_eq!(told.last().map(String::as_str), Some(if lines > 9 { "… 5 more lines" } else { "9" }));
        if let Err(failure) = ended {
            assert_eq!(failure.output.last().map(String::as_str), Some("10005"));
        }
    }
}

#[tokio::test]
async fn output_that_looks_like_a_frame_ends_nothing() {
    let bench = Bench::new(1);
    let forged = run("echo 'deadbeef ended 0 0'; exit 4");
    assert_eq!(carry_out(&bench, &[step("s", vec![forged])]).await.unwrap_err().status.unwrap(), "exit status 4");
}

#[tokio::test]
async fn a_shell_that_is_gone_is_no_success() {
    let bench = Bench::new(1);
    let failure = carry_out(&bench, &[step("s", vec![run("kill -9 $$")])]).await.unwrap_err();
    assert_eq!(failure.reason, "the shell on the host ended early");
    assert_eq!(failure.status.as_deref(), Some("killed by SIGKILL"));
}

#[tokio::test]
async fn a_file_is_written_whole_and_keeps_its_mode() {
    let bench = Bench::new(1);
    let (old, new, private) = (bench.path("old"), bench.path("sub/new"), bench.path("own/secret"));
    fs::write(&old, "before\n").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&old, bench.path("link")).unwrap();
    let odd = "a 'quote', a $(command) and no end";
    let writes = vec![
        write(&bench.path("link"), text(odd), None, Some("before\n")),
        write(&new, text(""), None, None),
        write(&private, Contents::Secret("s".into()), Some(0o600), None),
    ];
    carry_out(&bench, &[step("s", writes)]).await.unwrap();
    assert_eq!((fs::read_to_string(&old).unwrap().as_str(), mode(&old)), (odd, 0o640));
    assert!(fs::symlink_metadata(bench.path("link")).unwrap().is_symlink());
    assert_eq!((fs::read_to_string(&new).unwrap().as_str(), mode(&new)), ("", 0o644));
    assert_eq!((mode(&private), mode(private.parent().unwrap())), (0o600, 0o700));
    let left: Vec<_> = fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("kfleet")), "{left:?}");
}

#[tokio::test]
async fn a_file_that_another_has_changed_meanwhile_stays() {
    let bench = Bench::new(1);
    let path = bench.path("hosts");
    for (there, replaces) in [(Some("theirs\n"), "seen\n"), (None, "seen\n")] {
        let _ = fs::remove_file(&path);
        if let Some(there) = there {
            fs::write(&path, there).unwrap();
        }
        let failure =
            carry_out(&bench, &[step("s", vec![write(&path, text("mine"), None, Some(replaces))])]).await.unwrap_err();
        assert_eq!(bench.read("hosts").as_deref(), there, "{failure:?}");
    }
}

/// Closes something behind itself, and proves that there is a way back in.
fn guarded(closing: &str) -> [Planned; 2] {
    let back = Action::ComeBack(script_of("echo back >> done"));
    let cut = run(&format!("echo closed >> done; {closing}"));
    [step("firewall", vec![cut, back, run("echo later >> done")]), step("next", vec![run("echo next >> done")])]
}

#[tokio::test]
async fn what_may_shut_kfleet_out_is_proved_by_a_connection_made_anew() {
    let bench = Bench::new(1);
    carry_out(&bench, &guarded(":")).await.unwrap();
    assert_eq!(bench.read("done").unwrap(), "closed\nback\nlater\nnext\n");

    let mut bench = Bench::new(1);
    let failure = carry_out(&bench, &guarded("touch cut")).await.unwrap_err();
    assert_eq!(bench.read("done").unwrap(), "closed\n");
    assert_eq!(failure.reason, "no new connection gets in after this change: cannot reach h1: no route to host");
    assert!(failure.hint.is_some_and(|hint| hint.contains("by itself")));
    assert!(!bench.told().contains(&"step-changed h1 firewall".to_owned()));
}
