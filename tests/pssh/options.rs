use crate::stage::{Call, Stage, has_pssh};

/// What is wrong is told in other words, with the same exit code.
#[test]
fn a_wrong_command_line_exits_as_pssh_does() {
    let Some(stage) = Stage::set() else { return };
    let calls: [(&str, &[&str]); 34] = [
        ("pssh", &[]),
        ("pssh", &["-h", "kube"]),
        ("pssh", &["uptime"]),
        ("pssh", &["-H", "one", "-q", "uptime"]),
        ("pssh", &["-H", "one", "--bogus", "uptime"]),
        ("pssh", &["-H", "one", "-p", "x", "uptime"]),
        ("pssh", &["-H", "one", "-p", "08", "uptime"]),
        ("pssh", &["-H", "one", "-t", "1.5", "uptime"]),
        ("pssh", &["-H", "one", "-t"]),
        ("pssh", &["-H", "one", "-H"]),
        ("pssh", &["-H", "one", "--inl", "uptime"]),
        ("pssh", &["-H", "one", "--inline=yes", "uptime"]),
        ("pssh", &["-H", "one", "--host"]),
        ("pssh", &["-H", "one", "-r", "uptime"]),
        ("pssh", &["-H", "one", "-L", "x", "uptime"]),
        ("pssh", &["-H", "one", "-i1", "uptime"]),
        ("pssh", &["-h", "nowhere", "uptime"]),
        ("pssh", &["-h", "there", "uptime"]),
        ("pssh", &["--help"]),
        ("pssh", &["--version"]),
        ("pscp", &["-h", "kube"]),
        ("pscp", &["-h", "kube", "file"]),
        ("pscp", &["file", "/tmp/file"]),
        ("pscp", &["-h", "kube", "-I", "file", "/tmp/file"]),
        ("pscp", &["-h", "nowhere", "file", "/tmp/file"]),
        ("pslurp", &["-h", "kube", "/etc/hostname"]),
        ("pslurp", &["-h", "kube", "/etc/hostname", "a", "b"]),
        ("pslurp", &["/etc/hostname", "a"]),
        ("prsync", &["-h", "kube", "file"]),
        ("prsync", &["file", "/tmp/file"]),
        ("pnuke", &["-h", "kube"]),
        ("pnuke", &["-h", "kube", "a", "b"]),
        ("pnuke", &["a"]),
        ("pnuke", &["-h", "kube", "-i", "a"]),
    ];
    for (program, arguments) in calls {
        let call = Call::new(program, arguments);
        let kfleet = stage.kfleet(call);
        assert_ne!(kfleet.status, None, "{call:?}");
        if has_pssh() {
            let real = stage.real(call);
            assert_eq!(kfleet.status, real.status, "{call:?}: {kfleet:?} {real:?}");
            assert_eq!(kfleet.files, real.files, "{call:?}");
            assert_eq!(kfleet.stderr.is_empty(), real.stderr.is_empty(), "{call:?}: {kfleet:?} {real:?}");
        }
    }
}

/// Long options may be cut short, and short ones bundled; a value may begin with a hyphen.
#[test]
fn options_are_read_as_pssh_reads_them() {
    let Some(stage) = Stage::set() else { return };
    let calls: [&[&str]; 15] = [
        &["-x", "-F {F}", "-ihkube", "echo hi"],
        &["-X", "-F", "-X", "{F}", "-vih", "kube", "echo hi"],
        &["--extra-args=-F {F}", "--hosts=kube", "--inline", "echo hi"],
        &["--extra-args", "-F {F}", "--hosts", "kube", "--inline-s", "echo hi"],
        &["-x", "-F {F}", "--host", "one", "--user", "root", "--par", "0x10", "--timeo", "0100", "-i", "echo hi"],
        &["-x", "-F {F}", "-H", "one", "-t", "-1", "-i", "echo hi"],
        &["-x", "-F {F}", "-H", "one", "-t", "1", "-t", "0", "-i", "-i", "sleep 1.3; echo hi"],
        &["-x", "-F {F}", "-H", "one", "-i", "echo", "-h", "nowhere", "--help"],
        &["-x", "-F {F}", "-H", "one", "-i", "-l", "nobody", "-l", "root", "id", "-un"],
        &["-x", "-F '{F}' -o", "-X", "ConnectTimeout 20", "-H", "one", "-i", "echo hi"],
        &["-x", "-F {F}", "-O", "ConnectTimeout=20", "-O", "BatchMode yes", "-H", "one", "-i", "echo hi"],
        &["-x", "-F {F} -4 -T -x -a", "-H", "one", "-i", "echo hi"],
        &["-x", "-F {F} -n -C -q", "-H", "one", "-i", "echo hi"],
        &["-x", "-F {F}", "-x", "-l root -p {port} -q", "-H", "127.0.0.1", "-i", "echo hi"],
        &["-x", "-oUser=root -F{F}", "-H", "one", "-i", "echo", "a  b", "c"],
    ];
    for arguments in calls {
        assert_eq!(stage.same(Call::new("pssh", arguments)).status, Some(0), "{arguments:?}");
    }
}

/// Every name that pssh's programs are called by.
#[test]
fn the_binary_is_what_it_is_called() {
    let Some(stage) = Stage::set() else { return };
    let mut names: Vec<&str> = crate::stage::PROGRAMS.iter().flat_map(|(name, debian)| [*name, *debian]).collect();
    names.push("pscp.pssh");
    for name in names {
        let ran = stage.kfleet(Call::new(name, &["--help"]));
        let program = name.strip_suffix(".pssh").unwrap_or(name).replace("parallel-", "p");
        assert!(ran.stdout().contains(&format!("Usage: kfleet {program} [OPTIONS]")), "{name}: {}", ran.stdout());
    }
}
