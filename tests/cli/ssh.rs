//! How hosts are reached, as the command line and ssh_config say it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::kfleet;

/// A directory with an inventory of two hosts, `alias-1` and `alias-2`, and room for a home.
fn fleet() -> TempDir {
    let directory = TempDir::new().unwrap();
    let text = "[cluster]\nname = \"lab\"\n[ssh]\nconnect_timeout = \"2s\"\n[[hosts]]\nname = \"h1\"\naddress = \"alias-1\"\n\
                role = \"control-plane\"\n[[hosts]]\nname = \"h2\"\naddress = \"alias-2\"\n";
    fs::write(directory.path().join("inventory.toml"), text).unwrap();
    fs::create_dir(directory.path().join(".ssh")).unwrap();
    directory
}

/// kfleet in that directory, with the programs that there are.
fn in_fleet(directory: &Path) -> Command {
    let mut command = kfleet();
    command.current_dir(directory).env("XDG_STATE_HOME", directory).env("HOME", directory);
    command.env("PATH", "/usr/bin:/bin");
    command
}

/// Exit code and stderr.
fn ended(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_alias_is_dialled_where_ssh_config_has_it_and_what_is_passed_over_is_said_once() {
    let fleet = fleet();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = format!("Host alias-*\n  HostName 127.0.0.1\n  Port {port}\n  ForwardAgent yes\n");
    fs::write(fleet.path().join("config"), config).unwrap();
    let (code, said) = ended(in_fleet(fleet.path()).args(["plan", "-F", "config"]));
    assert_eq!(code, Some(4), "{said}");
    let remark = "kfleet: ssh_config has options that kfleet passes over: ForwardAgent (for alias-1 and 1 more)\n";
    assert_eq!(said.matches(remark).count(), 1, "{said}");
    assert!(said.contains(&format!("cannot reach 127.0.0.1:{port}: it took the connection")), "{said}");
    assert!(listener.accept().is_ok() && listener.accept().is_ok(), "both hosts were dialled");

    let options = ["-o", "ForwardAgent=no", "-o", "ProxyJump=jump", "-o", "ConnectTimeout=1"];
    let (code, said) = ended(in_fleet(fleet.path()).args(["plan", "-F", "config"]).args(options));
    assert_eq!(code, Some(4), "{said}");
    assert!(!said.contains("passes over"), "{said}");
    assert_eq!(said.matches("the jump host jump: cannot resolve jump").count(), 2, "{said}");
}

#[test]
fn what_ssh_does_not_take_is_a_wrong_command_line() {
    let fleet = fleet();
    for (arguments, said) in [
        (["-F", "nowhere"], "nowhere"),
        (["-o", "Prot=22"], "Bad configuration option: prot"),
        (["-o", "Port=many"], "many"),
    ] {
        let (code, stderr) = ended(in_fleet(fleet.path()).arg("plan").args(arguments));
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.starts_with("kfleet: `ssh -G alias-") && stderr.contains(said), "{stderr}");
    }
}

#[test]
fn without_an_openssh_client_ssh_config_is_not_passed_over_in_silence() {
    let fleet = fleet();
    let plan =
        |arguments: &[&str]| ended(in_fleet(fleet.path()).env("PATH", "/nonexistent").arg("plan").args(arguments));
    let (code, said) = plan(&[]);
    assert_eq!(code, Some(4), "{said}");
    assert!(!said.contains("OpenSSH client"), "{said}");

    let file = fleet.path().join(".ssh/config");
    fs::write(&file, "Host alias-1\n  HostName 127.0.0.1\n").unwrap();
    let remark = format!("kfleet: {} is not read: that needs the OpenSSH client", file.display());
    let (code, said) = plan(&[]);
    assert_eq!(code, Some(4), "{said}");
    assert_eq!(said.matches(&remark).count(), 1, "{said}");
    assert!(!plan(&["-F", "none"]).1.contains("OpenSSH client"));
    assert_eq!(plan(&["-F", "config"]).1.matches("config is not read").count(), 1);

    let (code, said) = plan(&["-o", "Port=22"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("-o needs the OpenSSH client"), "{said}");
}
