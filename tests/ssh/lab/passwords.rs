//! Passwords, and what goes with them, against the sshd of a lab's host with PAM behind it.

use std::path::PathBuf;
use std::sync::Arc;

use kfleet::host::{Connect, Host};
use kfleet::ssh::{Dialer, Keyring, Settings};

use super::{as_root, lab, password};
use crate::login::{refusal, refused};
use crate::sshd::{connect, run};

/// A host whose sshd takes these lines first; what it had before is there again after `restore`.
struct Configured(Arc<dyn Host>);

impl Configured {
    const FILE: &'static str = "/etc/ssh/sshd_config.d/kfleet-test.conf";
    /// Until the new sshd listens; connections that are open stay so.
    const RELOAD: &'static str = "systemctl reload ssh && sleep 0.3 && for try in 1 2 3 4 5 6 7 8 9 10; do ss -Hltn 'sport = :22' | \
                                  grep -q LISTEN && break; sleep 0.2; done";

    async fn with(lines: &str) -> Option<Self> {
        let host = connect(lab("ops")?).await.unwrap();
        let this = Self(host);
        this.say(lines).await;
        Some(this)
    }

    async fn say(&self, lines: &str) {
        let script = format!("printf '%s\n' '{lines}' >{} && {}", Self::FILE, Self::RELOAD);
        let ran = as_root(&*self.0, &script).await;
        assert!(ran.exit.success(), "{ran:?}");
    }

    /// How many logins of `user` PAM has refused so far.
    async fn refusals(&self, user: &str) -> usize {
        let script =
            format!("journalctl -q --sync; journalctl -q -t sshd | grep -c 'authentication failure.*user={user}$'");
        as_root(&*self.0, &script).await.text().trim().parse().unwrap()
    }

    async fn restore(self) {
        as_root(&*self.0, &format!("rm -f {} && {}", Self::FILE, Self::RELOAD)).await;
    }
}

/// admin without a key.
fn keyless() -> Settings {
    let settings = lab("admin").unwrap();
    let identities = vec![settings.identities[0].with_file_name("no-such-key")];
    Settings { identities, root: false, ..settings }
}

const PASSWORD: &str = "PasswordAuthentication yes\nKbdInteractiveAuthentication no";
const KEYBOARD: &str = "PasswordAuthentication no\nKbdInteractiveAuthentication yes";
const BOTH: &str = "PasswordAuthentication yes\nKbdInteractiveAuthentication yes";

#[tokio::test(flavor = "multi_thread")]
async fn a_password_lets_in_by_either_method() {
    let Some(sshd) = Configured::with("").await else { return };
    for lines in [PASSWORD, KEYBOARD, BOTH] {
        sshd.say(lines).await;
        let settings = Settings { password: Some(password().into()), ..keyless() };
        let host = connect(settings.clone()).await.unwrap();
        assert_eq!(run(&*host, "id -un").await.text(), "admin\n", "{lines}");
        // The same for sudo, which is told by its own setting.
        let root = Settings { root: true, sudo_password: settings.password.clone(), ..settings };
        let host = connect(root).await.unwrap();
        assert_eq!(as_root(&*host, "id -un").await.text(), "root\n", "{lines}");
    }
    sshd.restore().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once() {
    let Some(sshd) = Configured::with("").await else { return };
    for lines in [PASSWORD, KEYBOARD, BOTH] {
        sshd.say(lines).await;
        let before = sshd.refusals("admin").await;
        let error = refused(Settings { password: Some("not it".into()), ..keyless() }).await;
        let (reason, hint) = refusal(&error);
        assert!(reason.contains("the password was refused, and not tried again"), "{reason}");
        assert!(hint.contains("is it admin's password on this host?"), "{hint}");
        assert_eq!(sshd.refusals("admin").await - before, 1, "{lines}");
    }
    // Nor by whoever dials the host again in the same run.
    let settings = Settings { password: Some("not it".into()), ..keyless() };
    let (keyring, before) = (Arc::new(Keyring::new()), sshd.refusals("admin").await);
    for reason in ["was refused, and not tried again", "was refused before, and not tried again"] {
        let error = Dialer::new(settings.clone(), Arc::clone(&keyring)).connect().await.err().unwrap();
        assert!(refusal(&error).0.contains(reason), "{error}");
    }
    assert_eq!(sshd.refusals("admin").await - before, 1);
    // Nobody gave one: none is tried, and that is said.
    let before = sshd.refusals("admin").await;
    let error = refused(keyless()).await;
    let (reason, hint) = refusal(&error);
    assert!(reason.contains("the server still takes publickey, password, keyboard-interactive"), "{reason}");
    assert!(hint.contains("give kfleet admin's password: `-k` asks for it"), "{hint}");
    assert_eq!(sshd.refusals("admin").await, before);
    sshd.restore().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_a_password_together_let_in() {
    let Some(sshd) = Configured::with("").await else { return };
    for methods in
        ["publickey,password", "publickey,keyboard-interactive", "password,publickey", "keyboard-interactive,publickey"]
    {
        sshd.say(&format!("{BOTH}\nMatch User admin\n  AuthenticationMethods {methods}")).await;
        let settings = Settings { root: false, password: Some(password().into()), ..lab("admin").unwrap() };
        let host = connect(settings.clone()).await.unwrap();
        assert_eq!(run(&*host, "id -un").await.text(), "admin\n", "{methods}");

        let before = sshd.refusals("admin").await;
        let error = refused(Settings { password: Some("not it".into()), ..settings.clone() }).await;
        assert!(refusal(&error).0.contains("the password was refused"), "{methods}: {error}");
        assert_eq!(sshd.refusals("admin").await - before, 1, "{methods}");

        let error = refused(Settings { password: None, ..settings }).await;
        assert!(refusal(&error).1.contains("`-k` asks for it"), "{methods}: {error:?}");
    }
    // The key first, and then what is still wanted is named.
    sshd.say(&format!("{BOTH}\nMatch User admin\n  AuthenticationMethods publickey,password")).await;
    let error = refused(Settings { root: false, ..lab("admin").unwrap() }).await;
    assert!(refusal(&error).0.ends_with("the key was right, but the server also wants password"), "{error}");
    sshd.restore().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_must_be_changed_is_not_changed() {
    let Some(sshd) = Configured::with(KEYBOARD).await else { return };
    let made = "useradd --create-home pat && echo pat:old-password | chpasswd && passwd -q -e pat";
    assert!(as_root(&*sshd.0, made).await.exit.success());
    let settings = Settings { user: "pat".to_owned(), password: Some("old-password".into()), ..keyless() };
    let error = refused(settings).await;
    let still = as_root(&*sshd.0, "chage -l pat | grep -c 'password must be changed'").await;
    as_root(&*sshd.0, "userdel -r pat").await;
    sshd.restore().await;
    let (reason, _) = refusal(&error);
    assert!(reason.contains("the password has to be changed, which kfleet does not do"), "{reason}");
    assert_ne!(still.text(), "0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_comes_after_the_keys() {
    let Some(sshd) = Configured::with(&format!("{PASSWORD}\nMaxAuthTries 3")).await else { return };
    // Two wrong keys and then the password: the third try.
    let directory = tempfile::TempDir::new().unwrap();
    let identities: Vec<_> = (0..2).map(|number| directory.path().join(format!("wrong{number}"))).collect();
    identities.iter().for_each(|key| crate::sshd::keygen(key, "ed25519", ""));
    let settings = Settings { identities, password: Some(password().into()), ..keyless() };
    let connected = connect(settings).await.map(|_| ());
    sshd.restore().await;
    connected.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_binary_takes_passwords_from_a_command_and_a_descriptor() {
    let Some(sshd) = Configured::with(BOTH).await else { return };
    let lab = PathBuf::from(std::env::var_os("KFLEET_LAB_RUN").unwrap());
    let directory = tempfile::TempDir::new().unwrap();
    let inventory = format!(
        "[cluster]\nname = \"lab\"\n[ssh]\nuser = \"admin\"\nidentities = \"none\"\nknown_hosts = \"{}\"\n\
         [[hosts]]\nname = \"h1\"\naddress = \"10.88.0.11\"\nrole = \"control-plane\"\n",
        lab.join("known_hosts").display()
    );
    std::fs::write(directory.path().join("inventory.toml"), inventory).unwrap();
    let password = lab.join("admin.password").display().to_string();
    let plan = |ssh: &str, sudo: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kfleet"));
        command.arg("plan").args(["--ssh-password-command", ssh, "--sudo-password-fd", "0"]);
        command.current_dir(directory.path()).env("HOME", directory.path()).env_remove("SSH_AUTH_SOCK");
        let output = command.stdin(std::fs::File::open(sudo).unwrap()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let right = plan(&format!("cat {password}"), &password);
    let before = sshd.refusals("admin").await;
    let wrong = plan("echo not it", &password);
    let refused = sshd.refusals("admin").await - before;
    sshd.restore().await;
    // Both were right where facts were read as root.
    assert_eq!(right.0, Some(0), "{}", right.1);
    assert_eq!((wrong.0, refused), (Some(4), 1), "{}", wrong.1);
    assert!(wrong.1.contains("admin was not let in"), "{}", wrong.1);
}
