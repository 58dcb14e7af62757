use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::fleet::{Fleet, Ran};

#[test]
fn a_script_runs_by_its_interpreter_and_leaves_nothing() {
    let Some(fleet) = Fleet::start() else { return };
    let has_python = std::process::Command::new("/usr/bin/python3").arg("--version").output().is_ok();
    let scripts = [
        ("plain", "echo \"$# $1 $2\"; read -r line; echo \"$line\"; exit 4\n", true),
        (
            "bash",
            "#!/bin/bash\na=(\"$@\"); echo \"${#a[@]} ${a[0]} ${a[1]}\"; read -r line; echo \"$line\"; exit 4\n",
            true,
        ),
        (
            "env.py",
            "#!/usr/bin/env python3\nimport sys\nprint(len(sys.argv) - 1, *sys.argv[1:])\nprint(input())\nsys.exit(4)\n",
            has_python,
        ),
        // What would end a script that is read by a shell from stdin.
        ("brace", "echo \"$# $1 $2\"; read -r line; echo \"$line\"\nexit 4\n}\n'", true),
    ];
    fs::write(fleet.path("line"), "from stdin\n").unwrap();
    for (name, text, can_run) in scripts {
        if !can_run {
            println!("left out: there is no python3 on this machine");
            continue;
        }
        fs::write(fleet.path(name), text).unwrap();
        for sudo in [&[][..], &["--sudo"]] {
            let arguments =
                [&["run", "-b", "--hosts", "node[1-2]"][..], sudo, &["--script", name, "--", "--b", "c  d"]].concat();
            let mut run = fleet.kfleet(&arguments);
            run.stdin(fs::File::open(fleet.path("line")).unwrap());
            let ran = Ran::of(&mut run);
            let expected = "---------------\nnode[1-2] (2)\n---------------\n2 --b c  d\nfrom stdin\n";
            assert_eq!((ran.stdout.as_str(), ran.status), (expected, Some(5)), "{name}: {}", ran.stderr);
            assert!(ran.stderr.starts_with("2 of 2 hosts failed\nnode[1-2]: exit status 4\n"), "{}", ran.stderr);
        }
    }
    // The directory that it lay in is its own, and gone.
    fs::write(fleet.path("where"), "cd \"$(dirname \"$0\")\" && pwd && stat -c %a .\n").unwrap();
    let ran = fleet.run(&["run", "--hosts", "node1", "-N", "--script", "where"]);
    let (directory, mode) = ran.stdout.trim().split_once('\n').unwrap();
    assert_eq!(mode, "700");
    assert!(!fs::exists(directory).unwrap(), "{directory}");
}

#[test]
fn what_cannot_be_a_script_is_refused_before_any_connection() {
    let Some(fleet) = Fleet::start() else { return };
    fs::write(fleet.path("dos"), "#!/bin/sh\r\necho\r\n").unwrap();
    fs::set_permissions(fleet.path("dos"), fs::Permissions::from_mode(0o755)).unwrap();
    for (script, said) in [
        ("nowhere", "cannot read nowhere: No such file"),
        ("dos", "dos:1: the line ends in a carriage return"),
        ("/dev/zero", "/dev/zero is larger than 16 MiB"),
    ] {
        let ran = fleet.run(&["run", "--script", script]);
        assert!(ran.status == Some(2) && ran.stderr.contains(said), "{ran:?}");
    }
}
