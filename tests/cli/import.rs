use std::fs;

use crate::kfleet;

/// Exit code, stdout and stderr of `kfleet import` in a directory with a few files.
fn import(dir: &std::path::Path, arguments: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let mut command = kfleet();
    command.current_dir(dir).env("HOME", dir).arg("import").args(arguments).write_stdin(stdin);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_is_imported_is_what_kfleet_reads() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(".ssh")).unwrap();
    fs::write(dir.path().join(".ssh/config"), "Host a b\n  User ops\n").unwrap();
    fs::write(dir.path().join("hosts"), "a\nb ops\n").unwrap();
    fs::write(dir.path().join("hosts.ini"), "[masters]\nb ansible_user=ops ansible_password=hunter2\n[w]\na\n")
        .unwrap();
    for (arguments, stdin, control_plane) in [
        (&["hosts"][..], "", "a"),
        (&["pssh", "hosts", "--control-plane", "b"], "", "b"),
        (&["pssh", "-"], "a\nb ops\n", "a"),
        (&["-"], "Host a b\n", "a"),
        (&["hosts.ini"], "", "b"),
        (&["ansible", "hosts.ini"], "", "b"),
        (&["ssh-config"], "", "a"),
    ] {
        let inventory = dir.path().join("inventory.toml");
        let mut with_output = arguments.to_vec();
        with_output.extend(["-o", "inventory.toml"]);
        let (code, stdout, stderr) = import(dir.path(), &with_output, stdin);
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{arguments:?}: {stderr}");
        let text = fs::read_to_string(&inventory).unwrap();
        assert!(!text.contains("hunter2") && !stderr.contains("hunter2"), "{arguments:?}");
        let hosts = kfleet().current_dir(dir.path()).args(["hosts", "--json"]).output().unwrap();
        let hosts: serde_json::Value = serde_json::from_slice(&hosts.stdout).unwrap();
        for host in hosts.as_array().unwrap() {
            assert_eq!(host["role"] == "control-plane", host["name"] == control_plane, "{arguments:?}: {host}");
        }
        assert_eq!(hosts.as_array().unwrap().len(), 2, "{arguments:?}");
        fs::remove_file(inventory).unwrap();
    }
}

#[test]
fn what_is_there_is_written_over_only_by_force() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = dir.path().join("inventory.toml");
    fs::write(&inventory, "mine").unwrap();
    let (code, _, stderr) = import(dir.path(), &["-", "-o", "inventory.toml"], "a\n");
    assert_eq!(code, Some(1));
    assert!(stderr.contains("inventory.toml is there already; --force writes over it"), "{stderr}");
    assert_eq!(fs::read_to_string(&inventory).unwrap(), "mine");
    let (code, _, stderr) = import(dir.path(), &["-", "-o", "inventory.toml", "--force"], "a\n");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(fs::read_to_string(&inventory).unwrap().contains("name = \"a\""));
}

#[test]
fn what_cannot_become_an_inventory_is_said_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, stdin, code, said) in [
        (&["pssh"][..], "", 2, "which file? `kfleet import pssh FILE`"),
        (&["pdsh", "hosts"], "", 2, "there is no kind `pdsh`"),
        (&["nowhere"], "", 1, "cannot read nowhere: No such file"),
        (&["ssh-config"], "", 1, ".ssh/config: No such file"),
        (&["-"], "# nobody\n", 2, "kfleet: -: no host was found in it\n"),
        (&["-"], "a;b\n", 2, "-:1: `a;b` is left out: `a;b` is no name or address of a host"),
        (
            &["-", "--control-plane", "nod1"],
            "node1\n",
            2,
            "no host `nod1` to be the control plane; did you mean `node1`?",
        ),
        (&["ansible", "-"], "[web\nnode1 x\n", 2, "kfleet: -:1: `[web` has a bracket that is not closed"),
        (&["ansible", "-"], "[web]\nnode1 x\n", 2, "kfleet: -:2: behind a host stands `name=value`, not `x`"),
        (&["ansible", "-"], "[a:children]\nb\n[b:children]\na\n", 2, "contains itself"),
        (
            &["ansible", "-"],
            "all:\n  host:\n    a:\n",
            2,
            "kfleet: -:2: a group has `hosts`, `vars` and `children`, no `host`",
        ),
        (&["ansible", "-"], "all: [\n", 2, "not YAML"),
        (&["ssh-config", "-"], "Host a\n  User \"x\n", 2, "kfleet: -:2: a quote that is not closed"),
    ] {
        let (got, stdout, stderr) = import(dir.path(), arguments, stdin);
        assert_eq!((got, stdout.as_str()), (Some(code), ""), "{arguments:?} {stdin:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?} {stdin:?}: {stderr}");
    }
}

#[test]
fn what_stands_in_ssh_config_holds_for_what_is_imported_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let proof = |name: &str| format!("ProxyCommand sh -c 'touch {}; exit 1'", here.join(name).display());
    let config = format!(
        "Host cp\n  HostName 192.0.2.7\n  User root\n  {}\nHost w1\n  HostName w1.example.com\n  {}\n\
         Host plain\n  HostName 192.0.2.9\nHost W2\n  HostName 192.0.2.8\n  ProxyJump cp\n",
        proof("cp-%h-%n"),
        proof("w1-%h-%n"),
    );
    fs::create_dir(here.join(".ssh")).unwrap();
    fs::write(here.join(".ssh/config"), &config).unwrap();
    fs::write(here.join("other"), &config).unwrap();
    // Whose home ssh goes by is not for a test to say: -F has it read the usual file.
    for (arguments, read) in [(&["ssh-config"][..], &["-F", ".ssh/config"][..]), (&["ssh-config", "other"], &[])] {
        let (code, text, stderr) = import(here, arguments, "");
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("`W2` is left out") && stderr.contains("`Host W2 w2`"), "{stderr}");
        assert!(text.contains("advertise_address = \"192.0.2.7\"\n"), "{text}");
        assert!(text.contains("name = \"cp\"\n") && text.contains("node_ip = \"192.0.2.7\"\n"), "{text}");
        assert!(text.contains("name = \"plain\"\naddress = \"192.0.2.9\"\n"), "{text}");
        fs::write(here.join("inventory.toml"), &text).unwrap();
        let mut run = kfleet();
        run.current_dir(here).env("HOME", here).args(["run", "--hosts", "cp,w1"]).args(read).args(["-n", "true"]);
        let output = run.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        for proof in ["cp-192.0.2.7-cp", "w1-w1.example.com-w1"] {
            fs::remove_file(here.join(proof))
                .unwrap_or_else(|error| panic!("{arguments:?}: {proof}: {error}: {output:?}"));
        }
    }
    let (code, _, stderr) = import(here, &["ssh-config", "-"], &config);
    assert_eq!(code, Some(0));
    assert!(stderr.contains("-:1: `cp` is left out: ssh_config has ProxyCommand"), "{stderr}");
}
