//! Known secrets are put wherever kfleet takes one, and then looked for everywhere: in the arguments of every process, in
//! what is printed and recorded, on every host and on the workstation.

use std::fs;
use std::process::{Command, Stdio};

use crate::lab::Lab;
use crate::ran::Ran;
use crate::terminal::Terminal;
use crate::watch::Watch;

/// Of the user `admin`: to log in with and for sudo.
const PASSWORD: &str = "poison-password-q7w3";
/// Of the private key.
const PASSPHRASE: &str = "poison-passphrase-z9k1";
/// Of the CA's key on the workstation.
const CA: &str = "poison-authority-m4t8";
/// Of a registry, in the configuration of a host's containerd.
const REGISTRY: &str = "poison-registry-v2x6";

const POISON: &str = "poison-";

const HOSTS: [&str; 2] = ["h1", "h2"];

#[test]
#[ignore = "needs the lab"]
fn no_secret_is_found_where_it_was_not_put() {
    let lab = Lab::bare(2);
    let registry = format!(
        "[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"r.example\".auth]\n  password = \"{REGISTRY}\"\n"
    );
    for host in HOSTS {
        lab.root(
            host,
            &format!("echo 'admin:{PASSWORD}' | chpasswd; printf '%s' '{registry}' >> /etc/containerd/config.toml"),
        );
    }
    let key = encrypted_key(&lab);
    let own_key = lab.file("id_ed25519");
    let inventory = lab.inventory(&[
        ("user = \"ops\"", "user = \"admin\""),
        (own_key.to_str().unwrap(), key.to_str().unwrap()),
        ("pod_cidr", "pki = \"workstation\"\npod_cidr"),
    ]);
    let inventory = inventory.to_str().unwrap();

    let watch = Watch::over_all();
    let mut said = String::new();
    // The key is not in authorized_keys yet and nobody can type its passphrase: the password lets in.
    for arguments in [vec!["plan", "-v"], vec!["up", "-v"], vec!["up", "--json", "-v"], vec!["plan", "--json"]] {
        said += &by_password(&lab, &[&arguments[..], &["-i", inventory]].concat()).exits(0).to_string();
    }
    let command = "cat /proc/self/cmdline | tr '\\0' ' '; id -un";
    let ran = by_password(&lab, &["run", "--json", "-i", inventory, "--sudo", "--", command]).exits(0);
    assert!(ran.stdout.contains("root"), "{ran}");
    said += &ran.to_string();
    let ran = by_password(&lab, &["copy", "--sudo", "-i", inventory, inventory, "/root/copied"]).exits(0);
    said += &ran.to_string();
    for host in HOSTS {
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        lab.root(host, &format!("echo '{}' >> /home/admin/.ssh/authorized_keys", public.trim()));
    }
    said += &by_passphrase(&lab, &["plan", "-v", "-i", inventory]);
    // And a wrong one, which is a failure that is told at length.
    let wrong = lab
        .kfleet(&["up", "-v", "-i", inventory])
        .env("KFLEET_CA_PASSPHRASE", CA)
        .env("KFLEET_SSH_PASSWORD", PASSWORD.to_owned() + "-wrong")
        .env("KFLEET_SUDO_PASSWORD", PASSWORD.to_owned() + "-wrong")
        .output()
        .unwrap();
    said += &Ran::from(wrong).exits(4).to_string();
    let argv = watch.end();

    let seen: Vec<_> = argv.iter().filter(|argv| argv.contains(POISON)).collect();
    assert!(seen.is_empty(), "in argv: {seen:#?}");
    assert!(argv.iter().any(|argv| argv.contains("sudo -S")), "the watch has missed sudo");
    assert!(!said.contains(POISON), "printed: {said}");
    let found = |place: &str| {
        let grep = Command::new("grep").args(["-rlaF", POISON, place]).output().unwrap();
        String::from_utf8_lossy(&grep.stdout).into_owned()
    };
    assert_eq!(found(lab.fetched_kubeconfig().parent().unwrap().to_str().unwrap()), "", "kept on the workstation");
    for host in HOSTS {
        let places = "/etc /home /root /run /tmp /var/lib/kfleet /var/lib/kubelet /var/log /var/tmp";
        let own = "/etc/containerd/config.toml";
        let grep =
            format!("grep -rlaF -D skip --exclude-dir=containerd {POISON} {places} 2>/dev/null | grep -vx {own} || :");
        assert_eq!(lab.root(host, &grep), "", "left on {host}");
        let journal = format!("journalctl --no-pager | grep -F {POISON} | grep -v chpasswd || :");
        assert_eq!(lab.root(host, &journal), "", "in the journal of {host}");
    }
}

/// A private key that only its passphrase opens.
fn encrypted_key(lab: &Lab) -> std::path::PathBuf {
    let path = lab.written("poison/key", "");
    fs::remove_file(&path).unwrap();
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", PASSPHRASE, "-f"]).arg(&path).status();
    assert!(made.unwrap().success());
    path
}

/// `kfleet` without a terminal, with the passwords in its environment.
fn by_password(lab: &Lab, arguments: &[&str]) -> Ran {
    let mut command = Command::new("setsid");
    command.arg("--wait");
    with(command, &lab.kfleet(arguments)).stdin(Stdio::null()).output().unwrap().into()
}

/// `kfleet` on a terminal, at which the passphrase is typed; what was seen there.
fn by_passphrase(lab: &Lab, arguments: &[&str]) -> String {
    let variables = [("KFLEET_SUDO_PASSWORD", PASSWORD), ("KFLEET_CA_PASSPHRASE", CA)];
    let mut terminal = Terminal::with(lab, arguments, &variables);
    terminal.until("passphrase");
    terminal.types(&format!("{PASSPHRASE}\n"));
    terminal.exits(0)
}

fn with(mut command: Command, kfleet: &Command) -> Command {
    command.arg(kfleet.get_program()).args(kfleet.get_args());
    for (name, value) in kfleet.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("KFLEET_SSH_PASSWORD", PASSWORD).env("KFLEET_SUDO_PASSWORD", PASSWORD).env("KFLEET_CA_PASSPHRASE", CA);
    command
}
