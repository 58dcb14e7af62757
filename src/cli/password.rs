use std::fs::File;
use std::process::Stdio;
use std::{env, io};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::base::local_command;

/// Where a password comes from: a person, a file descriptor, a command, or else a variable. Never argv, which every user of this
/// machine can read.
#[derive(Debug)]
pub(super) struct PasswordSource<'a> {
    /// Ask on the terminal.
    pub(super) ask: bool,
    /// Read a line from this.
    pub(super) fd: Option<u32>,
    /// Run this in a shell and take its first line.
    pub(super) command: Option<&'a str>,
    /// What the flags of the last two begin with, as `--ssh-password`.
    pub(super) flag: &'static str,
    /// What is looked at where none of these is said.
    pub(super) variable: &'static str,
}

impl PasswordSource<'_> {
    /// The password, where there is one; `prompt` is what a person is asked.
    ///
    /// # Errors
    /// When its source gives none; the message has no part of it.
    pub(super) fn get(&self, prompt: &str) -> io::Result<Option<SecretString>> {
        if self.ask {
            if !somebody_can_be_asked() {
                let (flag, variable) = (self.flag, self.variable);
                let ways = format!("{flag}-fd, {flag}-command or ${variable}");
                let reason = format!("there is no terminal to ask on: give it by {ways}");
                return Err(io::Error::new(io::ErrorKind::NotFound, reason));
            }
            return rpassword::prompt_password(prompt).map(|password| Some(password.into()));
        }
        if let Some(fd) = self.fd {
            let opened = File::open(format!("/dev/fd/{fd}")).and_then(first_line);
            return opened.map(Some).map_err(|error| told(&format!("file descriptor {fd}"), &error));
        }
        if let Some(command) = self.command {
            return by_command(command).map(Some).map_err(|error| told(&format!("`{command}`"), &error));
        }
        match env::var(self.variable) {
            Ok(password) => Ok(Some(password.into())),
            Err(env::VarError::NotPresent) => Ok(None),
            // The value itself must not be in the message.
            Err(env::VarError::NotUnicode(_)) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is not UTF-8", self.variable)))
            }
        }
    }
}

/// Whether there is a terminal, whatever stdin is.
pub(super) fn somebody_can_be_asked() -> bool {
    File::open("/dev/tty").is_ok()
}

fn told(source: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{source}: {error}"))
}

fn by_command(command: &str) -> io::Result<SecretString> {
    let mut child = local_command("/bin/sh").args(["-c", command]).stdout(Stdio::piped()).spawn()?;
    let mut said = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
    let line = first_line(&mut said);
    // A command that has more to say is not broken off.
    io::copy(&mut said, &mut io::sink())?;
    let status = child.wait()?;
    if status.success() { line } else { Err(io::Error::other(format!("{status}"))) }
}

/// The first line, without its end; a byte at a time, since what follows is not ours.
fn first_line(mut from: impl io::Read) -> io::Result<SecretString> {
    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    let mut byte = [0];
    while line.len() < 1024 && from.read(&mut byte)? == 1 && byte != [b'\n'] {
        line.push(byte[0]);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    match std::str::from_utf8(&line) {
        Ok("") => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "there is no password on its first line")),
        Ok(password) => Ok(password.into()),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "its first line is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::{PasswordSource, first_line};

    #[test]
    fn a_password_is_the_first_line_as_it_is() {
        for (text, password) in [
            ("secret\n", Ok("secret")),
            (" two words \nnext\n", Ok(" two words ")),
            ("no end", Ok("no end")),
            ("dos\r\n", Ok("dos")),
            ("", Err("there is no password on its first line")),
            ("\nsecret\n", Err("there is no password on its first line")),
        ] {
            let read = first_line(text.as_bytes());
            let read = read.map(|read| read.expose_secret().to_owned()).map_err(|error| error.to_string());
            assert_eq!(read, password.map(str::to_owned).map_err(str::to_owned), "{text:?}");
        }
        let mut rest: &[u8] = b"one\ntwo\n";
        first_line(&mut rest).unwrap();
        assert_eq!(rest, b"two\n");
    }

    #[test]
    fn a_command_that_fails_gives_none_and_says_which() {
        let by = |command| PasswordSource {
            ask: false,
            fd: None,
            command: Some(command),
            flag: "--none-such",
            variable: "NONE_SUCH",
        };
        let said = by("echo pass; echo more").get("").unwrap().unwrap();
        assert_eq!(said.expose_secret(), "pass");
        for (command, words) in
            [("echo pass; exit 3", "`echo pass; exit 3`: exit status: 3"), ("true", "`true`: there is no password")]
        {
            let error = by(command).get("").unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        let nowhere =
            PasswordSource { ask: false, fd: Some(977), command: None, flag: "--none-such", variable: "NONE_SUCH" };
        assert!(nowhere.get("").unwrap_err().to_string().starts_with("file descriptor 977: "));
    }
}
