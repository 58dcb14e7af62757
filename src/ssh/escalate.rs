use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use secrecy::SecretString;

use super::exec::{braced, line, run};
use super::session::Session;
use super::settings::Settings;
use crate::base::{printable, redact};
use crate::host::{Exit, HostError, Stream, User};

/// How to become root on a host, found out once.
#[derive(Debug)]
pub enum Escalation {
    /// root logged in.
    None,
    /// sudo asks for nothing.
    Free,
    /// sudo asks for this password, and took it.
    Password(SecretString),
}

/// What the login shell is asked to run. It may be fish or csh, so: simple words, and quotes without `!` or `\`.
const SHELL: &str = "exec /bin/sh";
const SUDO: &str = "exec sudo -n -H /bin/sh";
/// Behind sudo a loop drops everything before the script: sudo does not read the password while it still knows the
/// last one, and a password that is not read would be run.
const SUDO_PASSWORD: &str = "exec sudo -S -H -p '' /bin/sh -c 'while IFS= read -r line; do \
    [ \"$line\" = kfleet-script ] && exec /bin/sh; done; echo kfleet-no-script; exit 1'";
const SCRIPT_FOLLOWS: &[u8] = b"kfleet-script\n";
const NO_SCRIPT: &str = "kfleet-no-script";

/// What the login user says of itself, in lines that no shell's start-up files print.
const PROBE: &str = r#"LC_ALL=C; export LC_ALL
uid=$(id -u)
echo "kfleet-uid $uid"
[ "$uid" = 0 ] && exit 0
command -v sudo >/dev/null 2>&1 || { echo kfleet-sudo-missing; exit 0; }
words=$(sudo -n -H /bin/sh </dev/null 2>&1) && { echo kfleet-sudo-free; exit 0; }
printf '%s\n' "$words" | while IFS= read -r line; do echo "kfleet-sudo-says $line"; done
"#;

impl Escalation {
    /// The command and the input that run `script` as `user`.
    pub fn command(&self, user: User, script: &SecretString) -> (&'static str, Vec<Bytes>) {
        match (user, self) {
            (User::Login, _) | (User::Root, Self::None) => (SHELL, vec![braced(script)]),
            (User::Root, Self::Free) => (SUDO, vec![braced(script)]),
            (User::Root, Self::Password(password)) => {
                (SUDO_PASSWORD, vec![line(password), Bytes::from_static(SCRIPT_FOLLOWS), braced(script)])
            }
        }
    }

    /// Asks the host, in one round of commands.
    ///
    /// # Errors
    /// Where the login shell runs nothing, or sudo does not let the user in.
    pub async fn probe(session: &Arc<Session>, settings: &Settings, allowed: Duration) -> Result<Self, HostError> {
        let script = SecretString::from(PROBE);
        let asked = listen(session, SHELL, vec![braced(&script)], allowed);
        let (asked, tried) = match &settings.sudo_password {
            None => (asked.await?, None),
            Some(password) => {
                // Its input ends after the password, so a wrong one is tried once and eats nothing else.
                let tried = listen(session, SUDO_PASSWORD, vec![line(password)], allowed);
                let (asked, tried) = tokio::join!(asked, tried);
                (asked?, Some(tried?))
            }
        };
        match decide(&settings.user, &asked, tried.as_ref())? {
            Way::None => Ok(Self::None),
            Way::Free => Ok(Self::Free),
            Way::Password => Ok(settings.sudo_password.clone().map_or(Self::Free, Self::Password)),
        }
    }
}

/// What a command said.
#[derive(Debug)]
struct Heard {
    exit: Exit,
    stdout: String,
    stderr: String,
}

/// Enough for anything that sudo or a login shell says.
const KEPT: usize = 64 * 1024;

async fn listen(
    session: &Arc<Session>,
    command: &str,
    stdin: Vec<Bytes>,
    allowed: Duration,
) -> Result<Heard, HostError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut keep = |stream, bytes: &[u8]| {
        let kept: &mut Vec<u8> = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
        kept.extend_from_slice(&bytes[..bytes.len().min(KEPT - kept.len())]);
    };
    let exit = run(session, command, stdin, allowed, &mut keep).await?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Heard { exit, stdout: text(stdout), stderr: text(stderr) })
}

#[derive(Debug, PartialEq, Eq)]
enum Way {
    None,
    Free,
    Password,
}

/// Draws the conclusion from what the probe said and, where there is a password, what sudo said to it.
fn decide(user: &str, asked: &Heard, tried: Option<&Heard>) -> Result<Way, HostError> {
    let lines = || asked.stdout.lines().map(str::trim_end);
    let Some(uid) = lines().find_map(|line| line.strip_prefix("kfleet-uid ")) else {
        return Err(no_shell(user, asked));
    };
    if uid == "0" {
        return Ok(Way::None);
    }
    if lines().any(|line| line == "kfleet-sudo-free") {
        return Ok(Way::Free);
    }
    if lines().any(|line| line == "kfleet-sudo-missing") {
        return Err(sudo(user, "there is no sudo on the host", "log in as root, or install sudo there"));
    }
    let said: Vec<_> = lines().filter_map(|line| line.strip_prefix("kfleet-sudo-says ")).collect();
    let Some(tried) = tried else {
        return Err(refused(user, &said.join("\n")));
    };
    if tried.stdout.lines().any(|line| line.trim_end() == NO_SCRIPT) {
        return Ok(Way::Password);
    }
    Err(refused(user, &format!("{}\n{}", tried.stderr, tried.stdout)))
}

/// sudo's refusal, with what helps against it.
fn refused(user: &str, said: &str) -> HostError {
    let words = sudo_words(said);
    let has = |part: &str| said.contains(part);
    let hint = if has("must have a tty") {
        format!("sudo there wants a terminal: add `Defaults:{user} !requiretty` to sudoers")
    } else if has("incorrect password") || has("no password was provided") || has("try again") {
        format!("the password given for sudo is not {user}'s on this host")
    } else if has("not in the sudoers") || has("not allowed") || has("may not run") {
        format!("let {user} run /bin/sh by sudo, as `{user} ALL=(ALL) NOPASSWD: ALL` in /etc/sudoers.d does")
    } else if has("password is required") || has("terminal is required") || has("askpass") {
        format!("give kfleet {user}'s password for sudo, or let {user} use sudo without one (NOPASSWD)")
    } else {
        format!("try `sudo -n true` on the host as {user}")
    };
    sudo(user, &words, &hint)
}

fn sudo(user: &str, reason: &str, hint: &str) -> HostError {
    HostError::Sudo { user: user.to_owned(), reason: reason.to_owned(), hint: hint.to_owned() }
}

fn no_shell(user: &str, asked: &Heard) -> HostError {
    let said = shown(asked.stdout.lines().chain(asked.stderr.lines()));
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    HostError::Authentication {
        user: user.to_owned(),
        reason: format!("the key was right, but the login shell does not run /bin/sh ({}{said})", asked.exit),
        hint: format!("give {user} a login shell that runs commands, and a password that has not expired"),
    }
}

/// What matters of what sudo said; its lecture to new users does not.
fn sudo_words(said: &str) -> String {
    let own =
        said.lines().filter(|line| line.contains("sudo:") || line.contains("sudoers") || line.contains("not allowed"));
    let own = shown(own);
    if own.is_empty() { shown(said.lines().rev().find(|line| !line.trim().is_empty()).into_iter()) } else { own }
}

fn shown<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<_> = lines.map(str::trim).filter(|line| !line.is_empty()).take(4).map(printable).collect();
    redact(&lines.join("; ")).chars().take(400).collect()
}
