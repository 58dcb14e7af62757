//! Bytes as words of a POSIX shell: a path need not be UTF-8, and a script is text.

/// Sets the shell's variable `name` to `bytes`, in a line of a script.
pub(super) fn assign(name: &str, bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => format!("{name}={}\n", crate::base::quote(text)),
        // What `$(…)` would cut off, line ends, is kept by the character behind them.
        Err(_) => format!("{name}=$(printf '{}.'); {name}=${{{name}%.}}\n", escaped(bytes, "\\")),
    }
}

/// `bytes` as one word of a line that `read -r` splits at blanks, for `printf %b` to turn back. One without a backslash is itself.
pub(super) fn field(bytes: &[u8]) -> String {
    escaped(bytes, "\\0")
}

fn escaped(bytes: &[u8], escape: &str) -> String {
    let mut word = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"/._-+,:=@~".contains(&byte) {
            word.push(char::from(byte));
        } else {
            word.push_str(&format!("{escape}{byte:03o}"));
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{assign, field};

    const NASTY: [&[u8]; 8] = [
        b"",
        b"plain",
        b"two words",
        b"it's $x `y` \"z\" \\",
        b"-n",
        b"line\n\nends\n\n",
        b"\xff\xfe % \\0101 \xc3",
        "é☸*?".as_bytes(),
    ];

    fn by(shell: &[&str], script: &str) -> Vec<u8> {
        Command::new(shell[0]).args(&shell[1..]).arg("-c").arg(script).env("LC_ALL", "C").output().unwrap().stdout
    }

    #[test]
    fn every_shell_reads_back_the_bytes() {
        for shell in [&["dash"][..], &["bash"], &["busybox", "sh"]] {
            if Command::new(shell[0]).arg("--help").output().is_err() {
                continue;
            }
            for word in NASTY {
                assert_eq!(by(shell, &format!("{}printf %s \"$x\"", assign("x", word))), word, "{shell:?} {word:?}");
                let script = format!(
                    "while IFS=' ' read -r a x b; do x=$(printf '%b.' \"$x\"); x=${{x%.}}; printf %s \"$x\"; done <<'END'\n- {} -\nEND",
                    field(word)
                );
                if !word.is_empty() {
                    assert_eq!(by(shell, &script), word, "{shell:?} {word:?}");
                }
            }
        }
    }
}
