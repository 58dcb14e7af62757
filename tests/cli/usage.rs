use std::process::Stdio;

use crate::kfleet;

#[test]
fn a_wrong_command_line_exits_with_2_and_says_what_is_wrong() {
    for (arguments, said) in [
        (&[][..], "Usage: kfleet <COMMAND>"),
        (&["upp"], "similar subcommands exist: 'pscp', 'up'"),
        (&["up", "--jsn"], "a similar argument exists: '--json'"),
        (&["up", "-j", "0"], "0 is not in 1..="),
        (&["up", "-j", "many"], "invalid digit"),
        (&["up", "--json", "--plain"], "cannot be used with '--plain'"),
        (&["up", "-i"], "a value is required for '--inventory <FILE>'"),
        (&["reinit", "--restore-etcd", "-y"], "cannot be used with '--yes'"),
        (&["reinit", "--restore-etcd", "--rollback"], "cannot be used with '--rollback'"),
        (&["reinit", "--confirm", "lab"], "--confirm is for --restore-etcd"),
        (&["run"], "<COMMAND>..."),
        (&["run", "--jsn", "true"], "a similar argument exists: '--json'"),
        (&["run", "-b", "--json", "true"], "cannot be used with"),
        (&["run", "-b", "--out", "x", "true"], "cannot be used with"),
        (&["run", "-p", "0", "true"], "0 is not in 1..="),
        (&["run", "-t", "-1", "true"], "unexpected argument '-1'"),
        (&["run", "-t", "1e30", "true"], "invalid value '1e30'"),
        (&["run", "-H", "a", "-i", "b", "true"], "-i cannot be used with -H or -h"),
        (&["run", "-H", "a/b", "true"], "-H: `a/b` is no host's name"),
        (&["shell", "-H", "a", "true"], "unexpected argument 'true'"),
        (&["hosts", "--expand", "a", "--count", "a"], "cannot be used with"),
        (&["hosts", "--expand", "@web"], "a group is looked up in an inventory, and there is none"),
        (&["completions", "tcsh"], "[possible values: bash, elvish, fish, powershell, zsh]"),
    ] {
        let output = kfleet().args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
    }
}

#[test]
fn node_sets_need_no_inventory_but_for_groups() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |arguments: &[&str], stdin: &str| {
        let output = kfleet().current_dir(dir.path()).arg("hosts").args(arguments).write_stdin(stdin).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask(&["--expand", "node[8-10]!node9,db"], ""), "db\nnode8\nnode10\n");
    assert_eq!(ask(&["--count", "n[001-100]"], ""), "100\n");
    assert_eq!(ask(&["--fold", "node5", "node2,node3"], ""), "node[2-3,5]\n");
    assert_eq!(ask(&["--fold"], "n3 n1\nn2\n\nx\u{1b}[1-2]"), "n[1-3],x[1-2]\n");
    assert_eq!(ask(&["--fold"], ""), "\n");
    let text = "[cluster]\nname = \"lab\"\n[[hosts]]\nname = \"a1\"\nrole = \"control-plane\"\n[[hosts]]\nname = \"b[1-2]\"\ngroups = [\"web\"]\n";
    std::fs::write(dir.path().join("inventory.toml"), text).unwrap();
    assert_eq!(ask(&["--expand", "@web"], ""), "b1\nb2\n");
    assert_eq!(ask(&["--count", "@*!b*"], ""), "1\n");
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    for arguments in [&["--help"][..], &["completions", "bash"], &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kfleet"));
        let child = command.args(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn an_inventory_that_is_wrong_exits_with_2_before_anything_else() {
    for command in ["up", "hosts"] {
        let mut with = kfleet();
        let output = with.args([command, "-i", "nowhere.toml"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(stderr.contains("nowhere.toml: there is no such file"), "{stderr}");
        assert!(!stderr.contains('\u{1b}'), "no colours without a terminal");
    }
}

#[test]
fn a_bad_inventory_is_refused_before_any_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let good = format!(
        "[cluster]\nname = \"lab\"\n[ssh]\nport = {}\nconnect_timeout = \"200ms\"\n\
         [[hosts]]\nname = \"h1\"\naddress = \"127.0.0.1\"\nrole = \"control-plane\"\n",
        listener.local_addr().unwrap().port()
    );
    for (text, code, dialled) in [(format!("{good}colour = \"red\"\n"), 2, false), (good, 4, true)] {
        std::fs::write(dir.path().join("inventory.toml"), &text).unwrap();
        let output = kfleet().current_dir(dir.path()).env("XDG_STATE_HOME", dir.path()).arg("up").output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert_eq!(listener.accept().is_ok(), dialled, "{text}");
    }
}

#[test]
fn the_inventory_is_the_flags_else_the_environments_else_here() {
    let dir = tempfile::tempdir().unwrap();
    for (file, host) in [("inventory.toml", "here"), ("environment.toml", "there"), ("flag.toml", "said")] {
        let text = format!("[cluster]\nname = \"lab\"\n[[hosts]]\nname = \"{host}\"\nrole = \"control-plane\"\n");
        std::fs::write(dir.path().join(file), text).unwrap();
    }
    let first_host = |environment: Option<&str>, arguments: &[&str]| {
        let mut command = kfleet();
        command.current_dir(dir.path()).args(["hosts", "--json"]).args(arguments);
        command.envs(environment.map(|file| ("KFLEET_INVENTORY", file)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let hosts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        hosts[0]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(first_host(None, &[]), "here");
    assert_eq!(first_host(Some("environment.toml"), &[]), "there");
    assert_eq!(first_host(Some("environment.toml"), &["-i", "flag.toml"]), "said");
}
