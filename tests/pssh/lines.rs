use crate::stage::{Call, Stage};

const F: [&str; 2] = ["-x", "-F {F}"];

/// One and the same sshd for many calls; each is a line of what pssh is called with.
#[test]
fn commands_do_what_they_do_for_pssh() {
    let Some(stage) = Stage::set() else { return };
    let calls: [(&[&str], i32); 22] = [
        (&["-ih", "kube", "echo", "one   two"], 0),
        (&["-i", "-h", "kube", "echo a b; echo bad >&2"], 0),
        (&["-h", "kube", "--inline-stdout", "echo out; echo bad >&2"], 0),
        (&["-h", "kube", "echo out; echo bad >&2"], 0),
        (&["-i", "-H", "one", "-H", "two three", "echo hi; exit 7"], 5),
        (&["-i", "-H", "one", "printf 'no end'"], 0),
        (&["-i", "-H", "one", "printf 'no end' >&2; exit 1"], 5),
        (&["-H", "one", "exit 255"], 4),
        (&["-H", "one", "-H", "two", "kill -9 $$"], 4),
        (&["-P", "-H", "one", "echo alone"], 0),
        (&["-P", "-i", "-H", "one", "printf twice"], 0),
        (&["-i", "-H", "one", "cat"], 0),
        (&["-o", "out", "-e", "err/deep", "-h", "kube", "echo $PSSH_HOST; echo bad >&2"], 0),
        (&["-o", "out", "-H", "one one two one", "echo $PSSH_NODENUM of $PSSH_NUMNODES for $PSSH_HOST"], 0),
        (&["-o", "out", "-e", "out", "-H", "one", "true"], 0),
        (&["-i", "-o", "out", "-H", "root@one root@two:{port}", "-l", "nobody", "id -un"], 0),
        (&["-i", "-o", "out", "-H", "root@one two", "-l", "root", "id -un"], 0),
        (&["-t", "0", "-i", "-H", "one", "echo no limit"], 0),
        (&["-t", "1", "-H", "one two", "sleep 60"], 3),
        (&["-t", "6", "-i", "-o", "out", "-H", "one", "echo before; sleep 60"], 3),
        (&["-p", "1", "-v", "-i", "-H", "one two three", "echo", "--", "-x", "-i"], 0),
        (&["-i", "-H", "one", "--", "echo", "-n", "x"], 0),
    ];
    for (arguments, status) in calls {
        let arguments = [&F, arguments].concat();
        assert_eq!(stage.same(Call::new("pssh", &arguments)).status, Some(status), "{arguments:?}");
    }
}

#[test]
fn stdin_goes_to_all_or_to_none() {
    let Some(stage) = Stage::set() else { return };
    for (arguments, stdin) in [
        (&["-I", "-i", "-h", "kube", "cat; echo end"][..], "one\ntwo"),
        (&["-I", "-i", "-h", "kube"], "echo a script of $PSSH_HOST\nexit 3\n"),
        (&["-i", "-h", "kube", "cat; echo end"], "never seen"),
        (&["-I", "-i", "-h", "kube", "cat; echo end"], ""),
    ] {
        let arguments = [&F, arguments].concat();
        let ran = stage.same(Call { stdin, ..Call::new("pssh", &arguments) });
        assert_eq!(ran.blocks.len(), 2, "{arguments:?}");
    }
    let much = "0123456789abcde\n".repeat(100_000);
    let arguments =
        [&F[..], &["-I", "-i", "-h", "kube", "tee /dev/stderr | md5sum | cut -c 1-8 >&2; echo read"]].concat();
    let ran = stage.same(Call { stdin: &much, ..Call::new("pssh", &arguments) });
    assert!(ran.blocks[0].len() > 1_600_000, "{ran:?}");
}

#[test]
fn a_server_that_says_nothing_is_waited_for() {
    let Some(stage) = Stage::set() else { return };
    // Nobody takes the connections that the system accepts.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("127.0.0.1:{}", silent.local_addr().unwrap().port());
    for (arguments, status) in [(&["-t", "1"][..], 3), (&["-t", "30", "-O", "ConnectTimeout=1"], 4)] {
        let arguments = [&F[..], arguments, &["-H", &host, "true"]].concat();
        assert_eq!(stage.same(Call::new("pssh", &arguments)).status, Some(status), "{arguments:?}");
    }
}

#[test]
fn a_terminal_gets_colours() {
    let Some(stage) = Stage::set() else { return };
    for command in ["echo out", "echo bad >&2; exit 4"] {
        let line = |program: &str| format!("{program} -x '-F {{F}}' -i -H one '{command}'");
        let program = |program: &str| {
            let line = line(program);
            let arguments = ["-qec", &line, "/dev/null"];
            let call = Call { environment: &[("TERM", "xterm")], ..Call::new("script", &arguments) };
            stage.on_terminal(call)
        };
        let kfleet = program(&stage.link("pssh"));
        assert!(kfleet.blocks[0].contains("\x1b[1m"), "{kfleet:?}");
        if crate::stage::has_pssh() {
            assert_eq!(kfleet, program("parallel-ssh"));
        }
    }
}

#[test]
fn pnuke_kills() {
    let Some(stage) = Stage::set() else { return };
    let arguments = [&F[..], &["-h", "kube", "none-is-called-so"]].concat();
    assert_eq!(stage.same(Call::new("pnuke", &arguments)).status, Some(5));
    // A name that no other process has.
    let name = format!("nuked-{}", stage.sshd.port);
    let victim = stage.sshd.path(&name);
    std::fs::copy("/bin/sleep", &victim).unwrap();
    let mut child = std::process::Command::new(&victim).arg("60").spawn().unwrap();
    let arguments = [&F[..], &["-H", "one", &name[..15.min(name.len())]]].concat();
    assert_eq!(stage.kfleet(Call::new("pnuke", &arguments)).status, Some(0));
    assert!(!child.wait().unwrap().success());
}
