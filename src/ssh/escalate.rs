use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::exec::{Job, braced, line, run};
use super::session::Session;
use super::settings::Settings;
use crate::base::{nonce, printable, redact};
use crate::host::{Exit, HostError, Program, Stream, User};

/// How to become root on a host, found out once.
#[derive(Debug)]
pub enum Escalation {
    /// Nobody wanted to know; this user logged in.
    Unasked(String),
    /// root logged in.
    None,
    /// sudo asks for nothing.
    Free,
    /// sudo asks for this password, and took it.
    Password(SecretString),
}

/// What the shell says behind its tag that sudo started, where no script follows.
const NO_SCRIPT: &str = "no-script";

/// What the login user says of itself. Each line has `$mark`, which no shell's start-up file can know to print.
const PROBE: &str = r#"LC_ALL=C; export LC_ALL
uid=$(id -u)
echo "$mark uid $uid"
[ "$uid" = 0 ] && exit 0
command -v sudo >/dev/null 2>&1 || { echo "$mark sudo-missing"; exit 0; }
words=$(sudo -n -H /bin/sh </dev/null 2>&1) && { echo "$mark sudo-free"; exit 0; }
printf '%s\n' "$words" | while IFS= read -r line; do echo "$mark sudo-says $line"; done
"#;

impl Escalation {
    /// What runs `program`, and what ends that before its time; input may follow the job's own.
    ///
    /// # Errors
    /// [`HostError::Sudo`] for root's programs, where the way to root was not asked for.
    pub fn jobs(&self, program: &Program, input_follows: bool) -> Result<(Job, Job), HostError> {
        let (text, user) = match program {
            Program::Line(line) => {
                let stop = SecretString::from(STOP_THIS_CONNECTION);
                return Ok((Job::new(line.clone(), Vec::new()), self.for_ending().job(&tag(), &stop, false)));
            }
            Program::Script { text, user } => (text, *user),
        };
        let way = match (user, self) {
            (User::Login, _) => &Self::None,
            (User::Root, Self::Unasked(login)) => {
                return Err(sudo(login, "it was not asked to", "this is a bug in kfleet: please report it"));
            }
            (User::Root, way) => way,
        };
        let tag = tag();
        let stop = stop(&tag);
        Ok((way.job(&tag, text, input_follows), way.job(&self::tag(), &stop, false)))
    }

    /// The most that there is to end others' programs with.
    fn for_ending(&self) -> &Self {
        if matches!(self, Self::Unasked(_)) { &Self::None } else { self }
    }

    fn job(&self, tag: &str, script: &SecretString, input_follows: bool) -> Job {
        let script = braced(script);
        let shell = if input_follows {
            // A shell that reads its script from stdin may read on into the input, and so does busybox's head; dd takes no more
            // than it is told.
            format!("/bin/sh -c 'eval \"$(dd bs=1 count={} 2>/dev/null)\"' {tag}", script.len())
        } else {
            format!("/bin/sh -s {tag}")
        };
        let stdin = match self {
            Self::None | Self::Free | Self::Unasked(_) => vec![script],
            Self::Password(password) => vec![line(password), line(&tag.into()), script],
        };
        Job::new(self.command(tag, &shell), stdin)
    }

    /// What the login shell is asked to run. It may be fish or csh, so: simple words, and quotes without `!` or `\`.
    fn command(&self, tag: &str, shell: &str) -> String {
        match self {
            Self::None | Self::Unasked(_) => format!("exec {shell}"),
            Self::Free => format!("exec sudo -n -H {shell}"),
            // The loop drops everything before the script: sudo does not read the password while it remembers the last
            // one, and a line that is not read would be run.
            Self::Password(_) => {
                let shell = shell.replace('\'', "'\"'\"'");
                format!(
                    "exec sudo -S -H -p '' /bin/sh -c 'while IFS= read -r line; do [ \"$line\" = {tag} ] && exec {shell}; \
                     done; echo {tag} {NO_SCRIPT}; exit 1'"
                )
            }
        }
    }

    /// Asks the host, in one round of commands.
    ///
    /// # Errors
    /// Where the login shell runs nothing, or sudo does not let the user in; or this machine has no random bytes.
    pub async fn probe(session: &Arc<Session>, settings: &Settings, allowed: Duration) -> Result<Self, HostError> {
        let mark = nonce().map_err(|error| HostError::Lost { reason: format!("this machine: {error}") })?;
        let mark = format!("kfleet-{mark}");
        let probe = format!("mark={mark}\n{PROBE}");
        let asked = listen(session, Self::None.job(&tag(), &probe.into(), false), allowed);
        let Some(password) = &settings.sudo_password else {
            return decide(&settings.user, &mark, &asked.await?, None).map(|way| match way {
                Way::None => Self::None,
                Way::Free | Way::Password => Self::Free,
            });
        };
        let with_password = Self::Password(password.clone());
        // Its input ends after the password, so a wrong one is tried once and eats nothing else.
        let job = Job::new(with_password.command(&mark, &format!("/bin/sh -s {mark}")), vec![line(password)]);
        let (asked, tried) = tokio::join!(asked, listen(session, job, allowed));
        Ok(match decide(&settings.user, &mark, &asked?, Some(&tried?))? {
            Way::None => Self::None,
            Way::Free => Self::Free,
            Way::Password => with_password,
        })
    }
}

/// A word that no other process has in its argv; it is also the last line before a script.
fn tag() -> String {
    format!("kfleet-{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// Ends the process group of the script that runs under `tag`.
///
/// sshd does not do it: it sends no HUP where there is no terminal, and no other signal to a root that logged in. The
/// tag stands in a file here, because in grep's argv it would find grep.
fn stop(tag: &str) -> SecretString {
    format!(
        r#"for file in $(grep -lsxFz -f - /proc/[0-9]*/cmdline <<'END'
{tag}
END
); do
    set -- $(sed 's/.*) //' "${{file%/cmdline}}/stat")
    [ -n "$3" ] && kill -s TERM -- "-$3" || continue
    for pause in 0.1 0.1 0.3 0.5 1 2; do
        kill -s 0 -- "-$3" 2>/dev/null || continue 2
        sleep "$pause" 2>/dev/null || sleep 1
    done
    kill -s KILL -- "-$3"
done"#
    )
    .into()
}

/// Ends everything else that this connection has started, as far as its user may. sshd runs each command in a session of its own.
const STOP_THIS_CONNECTION: &str = r#"set -- $(sed 's/.*) //' /proc/$$/stat)
own=$4
others() {
    for file in $(grep -lsxFz -f - /proc/[0-9]*/environ <<END
SSH_CONNECTION=${SSH_CONNECTION:?}
END
    ); do
        set -- "${file%/environ}" $(sed 's/.*) //' "${file%/environ}/stat" 2>/dev/null)
        [ -n "$5" ] && [ "$5" != "$own" ] && echo "${1#/proc/}"
    done
}
kill -s TERM $(others) || exit 0
for pause in 0.1 0.1 0.3 0.5 1 2; do
    left=$(others)
    [ -z "$left" ] && exit 0
    sleep "$pause" 2>/dev/null || sleep 1
done
kill -s KILL $left
"#;

/// What a command said.
#[derive(Debug)]
struct Heard {
    exit: Exit,
    stdout: String,
    stderr: String,
}

/// Enough for anything that sudo or a login shell says.
const KEPT: usize = 64 * 1024;

async fn listen(session: &Arc<Session>, job: Job, allowed: Duration) -> Result<Heard, HostError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut keep = |stream, bytes: &[u8]| {
        let kept: &mut Vec<u8> = if stream == Stream::Stdout { &mut stdout } else { &mut stderr };
        kept.extend_from_slice(&bytes[..bytes.len().min(KEPT - kept.len())]);
    };
    let exit = run(session, job, None, Some(allowed), &mut keep).await?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Heard { exit, stdout: text(stdout), stderr: text(stderr) })
}

#[derive(Debug, PartialEq, Eq)]
enum Way {
    None,
    Free,
    Password,
}

/// Draws the conclusion from what the probe said behind its mark and, where there is a password, what sudo said to it.
fn decide(user: &str, mark: &str, asked: &Heard, tried: Option<&Heard>) -> Result<Way, HostError> {
    let lines = || marked(&asked.stdout, mark);
    let Some(uid) = lines().find_map(|line| line.strip_prefix("uid ")) else {
        return Err(no_shell(user, asked));
    };
    if uid == "0" {
        return Ok(Way::None);
    }
    if lines().any(|line| line == "sudo-free") {
        return Ok(Way::Free);
    }
    if lines().any(|line| line == "sudo-missing") {
        return Err(sudo(user, "there is no sudo on the host", "log in as root, or install sudo there"));
    }
    let said: Vec<_> = lines().filter_map(|line| line.strip_prefix("sudo-says ")).collect();
    let Some(tried) = tried else {
        return Err(refused(user, &said.join("\n")));
    };
    if marked(&tried.stdout, mark).any(|line| line == NO_SCRIPT) {
        return Ok(Way::Password);
    }
    Err(refused(user, &format!("{}\n{}", tried.stderr, tried.stdout)))
}

/// What follows the mark on each line that has it; a start-up file may leave a line of its own without an end before it.
fn marked<'a>(said: &'a str, mark: &str) -> impl Iterator<Item = &'a str> {
    said.lines().filter_map(move |line| line.split_once(mark)).map(|(_, rest)| rest.trim())
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command, Stdio};

    use super::{Escalation, Heard, Way, decide};
    use crate::host::{Exit, HostError, Program, User};

    fn heard(status: u32, stdout: &str, stderr: &str) -> Heard {
        Heard { exit: Exit::Status(status), stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    const LECTURE: &str = "\nWe trust you have received the usual lecture from the local System\nAdministrator.\n\n";

    #[test]
    fn the_way_to_root_is_what_the_host_allows() {
        let wants = "MARK uid 1000\nMARK sudo-says sudo: a password is required\n";
        let cases = [
            ("MARK uid 0\n", None, Way::None),
            ("Welcome!\nMARK uid 0\n", Some(heard(1, "", "sudo: not found")), Way::None),
            ("MARK uid 1000\nMARK sudo-free\n", None, Way::Free),
            // A password that is not needed may as well be wrong.
            ("MARK uid 1000\nMARK sudo-free\n", Some(heard(1, "", "Sorry, try again.")), Way::Free),
            (wants, Some(heard(1, "MARK no-script\n", LECTURE)), Way::Password),
        ];
        for (asked, tried, way) in cases {
            assert_eq!(decide("admin", "MARK", &heard(0, asked, ""), tried.as_ref()), Ok(way), "{asked}");
        }
    }

    #[test]
    fn what_a_start_up_file_prints_is_not_believed() {
        let forged = "kfleet-uid 0\nuid 0\nkfleet-0123 uid 0\nno end of line";
        let asked = |said: &str| heard(0, &format!("{forged}{said}"), "");
        assert_eq!(decide("admin", "MARK", &asked("MARK uid 1000\r\nMARK sudo-free\n"), None), Ok(Way::Free));
        assert!(matches!(decide("admin", "MARK", &asked(""), None), Err(HostError::Authentication { .. })));
        let wants = asked("MARK uid 1000\nMARK sudo-says sudo: a password is required\n");
        let tried = heard(1, "kfleet-no-script\nno-script\n", "sudo: 1 incorrect password attempt\n");
        assert!(matches!(decide("admin", "MARK", &wants, Some(&tried)), Err(HostError::Sudo { .. })));
    }

    #[test]
    fn a_refusal_is_in_sudos_words_with_what_helps() {
        let wants = "MARK uid 1000\nMARK sudo-says sudo: a password is required\n";
        let wrong =
            format!("{LECTURE}Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt\n");
        let cases = [
            ("MARK uid 1000\nMARK sudo-missing\n", None, "there is no sudo on the host", "install sudo"),
            (wants, None, "sudo: a password is required", "give kfleet admin's password"),
            (
                wants,
                Some(wrong.as_str()),
                "sudo: no password was provided; sudo: 1 incorrect password attempt",
                "is not admin's",
            ),
            (
                wants,
                Some("admin is not in the sudoers file.\nThis incident has been reported to the administrator.\n"),
                "admin is not in the sudoers file.",
                "NOPASSWD",
            ),
            (
                "MARK uid 1000\nMARK sudo-says sudo: sorry, you must have a tty to run sudo\n",
                None,
                "sudo: sorry, you must have a tty to run sudo",
                "!requiretty",
            ),
            (
                wants,
                Some("Sorry, user admin is not allowed to execute '/bin/sh -c x' as root on h1.\n"),
                "Sorry, user admin is not allowed to execute '/bin/sh -c x' as root on h1.",
                "let admin run /bin/sh",
            ),
            (wants, Some("\u{1b}[31mno\n"), "[31mno", "sudo -n true"),
        ];
        for (asked, tried, reason, hint) in cases {
            let tried = tried.map(|said| heard(1, "", said));
            let error = decide("admin", "MARK", &heard(0, asked, ""), tried.as_ref()).unwrap_err();
            let HostError::Sudo { reason: said, hint: helps, .. } = &error else { panic!("{error:?}") };
            assert_eq!(said, reason);
            assert!(helps.contains(hint), "{helps}");
        }
    }

    #[test]
    fn a_login_shell_that_runs_nothing_is_not_blamed_on_sudo() {
        let error =
            decide("ops", "MARK", &heard(1, "This account is currently not available.\n", ""), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "ops was not let in: the key was right, but the login shell does not run /bin/sh (exit status 1: This \
             account is currently not available.)"
        );
    }

    /// In place of sudo: it reads the password where it is told to, unless it remembers the last one.
    const SUDO: &str = r#"#!/bin/sh
while :; do
    case $1 in
    -S) if [ -z "$REMEMBERS" ]; then IFS= read -r password; [ "$password" = secret ] || exit 1; fi ;;
    -n | -H) ;;
    -p) [ -z "$2" ] || exit 1; shift ;;
    *) break ;;
    esac
    shift
done
exec "$@"
"#;

    #[test]
    fn every_login_shell_understands_the_command() {
        let directory = tempfile::tempdir().unwrap();
        let sudo = directory.path().join("sudo");
        std::fs::write(&sudo, SUDO).unwrap();
        std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", directory.path().display());

        let script = || Program::Script { text: "echo \"got $(cat)\"".into(), user: User::Root };
        let ways = [Escalation::None, Escalation::Free, Escalation::Password("secret".into())];
        for (way, input) in ways.iter().flat_map(|way| [(way, ""), (way, "input\n")]) {
            for shell in ["sh", "dash", "bash", "zsh", "ksh", "fish", "tcsh", "csh"] {
                for remembers in ["", "yes"] {
                    let (job, _) = way.jobs(&script(), !input.is_empty()).unwrap();
                    let mut command = Command::new(shell);
                    command.args(["-c", &job.command]).env("PATH", &path).env("REMEMBERS", remembers);
                    let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
                        println!("left out: there is no {shell} on this machine");
                        continue;
                    };
                    let mut stdin = child.stdin.take().unwrap();
                    job.stdin.iter().for_each(|piece| stdin.write_all(piece).unwrap());
                    stdin.write_all(input.as_bytes()).unwrap();
                    drop(stdin);
                    let output = child.wait_with_output().unwrap();
                    let got = format!("got {}\n", input.trim_end());
                    assert_eq!(String::from_utf8_lossy(&output.stdout), got, "{way:?} by {shell}");
                }
            }
        }
    }
}
