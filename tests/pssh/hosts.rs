use crate::stage::{Call, Stage, has_pssh};

/// Arguments, variables, and the exit code.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32);

#[test]
fn hosts_are_found_as_pssh_finds_them() {
    let Some(stage) = Stage::set() else { return };
    let calls: [Case<'_>; 13] = [
        (&["-h", "kube", "-h", "kube", "-H", "three"], &[], 0),
        (&["-h", "kube", "-g", "o*"], &[], 0),
        (&["-h", "kube", "-g", "nothing*"], &[], 0),
        (&["-h", "kube", "-g", "o*", "-H", "three"], &[], 0),
        (&["-h", "kube", "-g", "[!o]?o"], &[], 0),
        (&["-h", "users", "-g", "[ot][nw]?", "-l", "root"], &[], 0),
        (&["-h", "wrong"], &[], 0),
        (&["-h", "/dev/null"], &[], 0),
        (&["-H", ""], &[], 0),
        (&["-h", "kube", "-h", "nowhere"], &[], 1),
        (&[], &[("PSSH_HOSTS", "kube")], 0),
        (&["-H", "three"], &[("PSSH_HOSTS", "kube"), ("PSSH_USER", "root")], 0),
        (&["-H", "root@one"], &[("PSSH_USER", "nobody")], 0),
    ];
    for (arguments, environment, status) in calls {
        let arguments = [&["-x", "-F {F}", "-i"], arguments, &["echo $PSSH_HOST"]].concat();
        let call = Call { environment, ..Call::new("pssh", &arguments) };
        let ran = stage.kfleet(call);
        assert_eq!(ran.status, Some(status), "{call:?}: {ran:?}");
        if status == 0 {
            stage.same(call);
        }
    }
}

#[test]
fn the_environment_says_what_the_command_line_does_not() {
    let Some(stage) = Stage::set() else { return };
    let calls: [Case<'_>; 11] = [
        (&[], &[("PSSH_INLINE", "0")], 0),
        (&[], &[("PSSH_INLINE", "")], 0),
        (&[], &[("PSSH_PRINT", "1")], 0),
        (&[], &[("PSSH_OUTDIR", "out"), ("PSSH_ERRDIR", "err")], 0),
        (&["-o", "other"], &[("PSSH_OUTDIR", "out")], 0),
        (&["-o", ""], &[("PSSH_OUTDIR", "out")], 0),
        (&[], &[("PSSH_TIMEOUT", "1")], 3),
        (&["-t", "90"], &[("PSSH_TIMEOUT", "1")], 0),
        (&[], &[("PSSH_PAR", "1"), ("PSSH_VERBOSE", "yes")], 0),
        (&[], &[("PSSH_PAR", "many")], 2),
        (&["-O", "Port={port}"], &[("PSSH_OPTIONS", "User=root")], 0),
    ];
    for (arguments, environment, status) in calls {
        let timed = environment.iter().any(|(name, _)| *name == "PSSH_TIMEOUT");
        let command = if timed { "echo out; sleep 1.7" } else { "echo out" };
        let arguments = [&["-x", "-F {F}"], arguments, &["-H", "one", command]].concat();
        let call = Call { environment, ..Call::new("pssh", &arguments) };
        if status == 2 {
            assert_eq!(stage.kfleet(call).status, Some(2), "{call:?}");
        } else {
            assert_eq!(stage.same(call).status, Some(status), "{call:?}");
        }
    }
}

#[test]
fn new_host_keys_that_cannot_be_written_are_taken_and_told_once() {
    let Some(stage) = Stage::set() else { return };
    let options = ["-O", "StrictHostKeyChecking=accept-new", "-O", "UserKnownHostsFile=/proc/no/known_hosts"];
    let arguments = [&["-x", "-F {F}"], &options[..], &["-H", "one two three", "true"]].concat();
    let call = Call::new("pssh", &arguments);
    let ran = stage.kfleet(call);
    if has_pssh() {
        let real = stage.real(call);
        assert_eq!((ran.status, &ran.blocks), (real.status, &real.blocks), "ssh goes on too");
    }
    let told = format!("kfleet: the new host key of [127.0.0.1]:{} was taken, but not written to ", stage.sshd.port);
    assert!(ran.status == Some(0) && ran.stderr.starts_with(&told) && ran.stderr.lines().count() == 1, "{ran:?}");
}

#[test]
fn an_odd_entry_is_the_failure_of_its_host_alone() {
    let Some(stage) = Stage::set() else { return };
    let arguments = ["-x", "-F {F}", "-h", "odd", "-o", "out", "echo $PSSH_HOST"];
    assert_eq!(stage.same(Call::new("pssh", &arguments)).status, Some(4));
    let ran = stage.kfleet(Call::new("pssh", &[&arguments[..4], &["-i", "-H", "@one", "echo", "hello"]].concat()));
    let said = ran.stdout();
    for words in [
        "[SUCCESS] one\nhello\n",
        "[SUCCESS] two\nhello\n",
        "Exited with error code 255\nStderr: kfleet: odd:4: `ssh -G web_1,x` fails: ",
        "Exited with error code 255\nStderr: kfleet: odd:5: `port` is no port\n",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!((ran.status, said.matches("[SUCCESS] one\n").count()), (Some(4), 2), "{ran:?}");
}
