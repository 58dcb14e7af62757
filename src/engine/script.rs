use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::base::{nonce, quote};

/// The functions that every script begins with.
const PRELUDE: &str = include_str!("../../templates/apply.sh");

/// A script of many actions that answers in frames: which began, how each ended; the first that fails is the last.
pub struct Script {
    nonce: String,
    text: String,
    actions: usize,
}

impl Script {
    /// A script without actions.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new() -> std::io::Result<Self> {
        let nonce = nonce()?;
        // The function's braces make the shell read all of it before any command can touch stdin.
        let text = format!("{PRELUDE}\nkf_frame() {{ printf '\\n%s %s\\n' {nonce} \"$*\"; }}\nkf_main() {{\n");
        Ok(Self { nonce, text, actions: 0 })
    }

    /// Adds an action, both of its streams to be shown in the order that they were written.
    pub fn add(&mut self, body: &str) {
        self.push(body, "2>&1");
    }

    /// Adds an action whose stdout is a value, so that stderr stays apart from it.
    pub fn add_capture(&mut self, body: &str) {
        self.push(body, "");
    }

    fn push(&mut self, body: &str, redirection: &str) {
        let index = self.actions;
        self.actions += 1;
        // `set -e` would be void inside `( … ) || …`, so the status is looked at afterwards.
        self.text.push_str(&format!(
            "kf_frame began {index}\n(\nset -eu\n{body}\n) </dev/null {redirection}\nstatus=$?\n\
             kf_frame ended {index} $status\n[ $status = 0 ] || return 0\n"
        ));
    }

    /// The text to send and the nonce of its frames.
    pub fn finish(mut self) -> (SecretString, String) {
        self.text.push_str("}\nkf_main\nkf_frame closed\n");
        (SecretString::from(self.text), self.nonce)
    }
}

/// The body of an action that puts a file in place; without `mode`, and where there was a file, that of the old one stays.
pub fn write_file(path: &str, mode: Option<u32>, replaces: Option<&str>, contents: &SecretString) -> String {
    let mode = mode.map_or_else(|| "-".to_owned(), |mode| format!("{mode:04o}"));
    let digest = replaces.map_or_else(|| "-".to_owned(), |old| format!("{:x}", Sha256::digest(old)));
    format!("kf_write {} {mode} {digest} {}", quote(path), quote(contents.expose_secret()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use secrecy::ExposeSecret;

    use super::Script;

    #[test]
    fn an_action_knows_no_proxy() {
        let mut script = Script::new().unwrap();
        script.add("echo \"[${https_proxy-none} ${HTTPS_PROXY-none} ${no_proxy-none}]\"");
        let (text, _) = script.finish();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", text.expose_secret()]).env("no_proxy", "10.88.0.11");
        let output =
            shell.envs(["https_proxy", "HTTPS_PROXY"].map(|name| (name, "http://proxy:3128"))).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("[none none 10.88.0.11]"), "{output:?}");
    }
}
