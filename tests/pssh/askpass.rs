use std::fs;

use crate::ran::Ran;
use crate::sshd::keygen;
use crate::stage::{Call, Stage, has_pssh, has_rsync};

/// Types $2 when $1, on a terminal of its own, asks for the password.
const TYPED: &str = r#"temp=$(mktemp -d) && mkfifo "$temp/keys" && touch "$temp/said" || exit 99
script -qec "$1" /dev/null <"$temp/keys" >"$temp/said" &
exec 3>"$temp/keys"
until grep -q 'Password: ' "$temp/said" || ! kill -0 $!; do sleep 0.1; done
echo "$2" >&3
wait $!
status=$?
cat "$temp/said"
rm -r "$temp"
exit $status"#;

/// A stage whose key has the passphrase `secret`.
fn locked() -> Option<Stage> {
    let stage = Stage::set()?;
    let path = |name: &str| stage.sshd.path(name);
    keygen(&path("locked"), "ed25519", "secret");
    fs::copy(path("locked.pub"), path("authorized_keys")).unwrap();
    let config = fs::read_to_string(path("ssh_config")).unwrap();
    let (open, locked) = (path("id").display().to_string(), path("locked").display().to_string());
    fs::write(path("ssh_config"), config.replace(&open, &locked)).unwrap();
    Some(stage)
}

fn typed(stage: &Stage, line: &str, answer: &str) -> Ran {
    let ran = stage.on_terminal(Call::new("sh", &["-c", TYPED, "sh", line, answer]));
    // Where it is typed before the echo is off, the terminal shows it.
    Ran { lines: ran.lines.iter().map(|line| line.replace(answer, "")).collect(), ..ran }
}

#[test]
fn a_locked_key_is_opened_by_the_password_asked_for() {
    let Some(stage) = locked() else { return };
    for (variable, option, answer, status) in
        [("", "-A", "secret", 0), ("PSSH_ASKPASS=1 ", "", "secret", 0), ("", "-A", "wrong", 4)]
    {
        let line =
            |program: &str| format!("{variable}{program} {option} -x '-F {{F}}' -H 'one two' -o out 'echo hello'");
        let kfleet = typed(&stage, &line(&stage.link("pssh")), answer);
        assert_eq!(kfleet.status, Some(status), "{kfleet:?}");
        if status == 0 {
            assert_eq!(kfleet.files["out/one"], "644 hello\n", "{kfleet:?}");
        }
        if has_pssh() {
            assert_eq!(kfleet, typed(&stage, &line("parallel-ssh"), answer));
        }
    }
}

#[test]
fn rsyncs_ssh_is_given_the_password_too() {
    let Some(stage) = locked() else { return };
    if !has_rsync() {
        return;
    }
    for (answer, status) in [("secret", 0), ("wrong", 4)] {
        let line = |program: &str| format!("{program} -A -S '-F {{F}}' -a -p 1 -H 'one two' tree/ {{here}}/got");
        let kfleet = typed(&stage, &line(&stage.link("prsync")), answer);
        assert_eq!(kfleet.status, Some(status), "{kfleet:?}");
        assert_eq!(kfleet.files.contains_key("got/inner"), status == 0, "{kfleet:?}");
        // With which status rsync fails when its ssh does is a matter of luck.
        if has_pssh() && status == 0 {
            assert_eq!(kfleet, typed(&stage, &line("parallel-rsync"), answer));
        }
    }
}

#[test]
fn without_a_terminal_there_is_nobody_to_ask() {
    let Some(stage) = locked() else { return };
    let link = stage.link("pssh");
    let arguments = ["-w", &link, "-A", "-x", "-F {F}", "-H", "one", "true"];
    let ran = stage.on_terminal(Call { stdin: "secret\n", ..Call::new("setsid", &arguments) });
    assert_eq!((ran.status, ran.blocks.len()), (Some(1), 0), "{ran:?}");
    assert!(ran.stderr.starts_with("kfleet: -A: cannot ask for the password on a terminal: "), "{ran:?}");
}
