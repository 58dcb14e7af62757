/// `word` as one word of a POSIX shell.
///
/// A NUL byte cannot reach any program as an argument, so it is dropped.
#[must_use]
pub fn quote(word: &str) -> String {
    let word = word.replace('\0', "");
    match shlex::try_quote(&word) {
        Ok(quoted) => quoted.into_owned(),
        Err(never) => unreachable!("a word without NUL can be quoted: {never}"),
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for word in ["", "plain", "two words", "it's", "$HOME `id` \"x\" \\", "-n", "new\nline", "é*?[a]~#!"] {
            let script = format!("printf %s {}", quote(word));
            let output = std::process::Command::new("/bin/sh").arg("-c").arg(&script).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
