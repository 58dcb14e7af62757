//! How a job on a host tells how long something takes, by this machine's `/bin/sh`.

use std::process::Command;

/// What a script says after the functions of `shared.sh` and this one of `control-plane.sh`, on a host whose clock is set back
/// again and again.
fn said(script: &str) -> String {
    let control_plane = include_str!("../../../templates/reinit/control-plane.sh");
    let from = control_plane.find("tell_away() {").unwrap();
    let to = from + control_plane[from..].find("\n}\n").unwrap() + 3;
    let shared = include_str!("../../../templates/reinit/shared.sh");
    let text = format!("{shared}{}date() {{ echo 0; }}\nstate=. boot=boot\n{script}", &control_plane[from..to]);
    let temp = tempfile::tempdir().unwrap();
    let ran = Command::new("timeout").args(["10", "/bin/sh", "-euc", &text]).current_dir(temp.path()).output().unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn a_clock_that_is_set_back_lets_nobody_wait_for_ever() {
    assert_eq!(said("within 1 false || echo over"), "over\n");
    assert_eq!(said("within 1 true && echo so"), "so\n");
}

#[test]
fn how_long_the_api_was_away_is_not_told_over_a_boot() {
    let away =
        said("echo this >boot; echo this 0.5 >away; uptime() { echo 14.04; }; tell_away; [ -e away ] || echo gone");
    assert_eq!(away, "[kfleet:note] API away: 13.5 s\ngone\n");
    let boot = said("echo this >boot; echo that 0.5 >away; tell_away");
    assert_eq!(boot, "[kfleet:note] API away: since before this host was booted\n");
}
