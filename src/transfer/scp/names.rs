use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::base::quote;

/// A name as a word that a shell's `printf %b` makes the name of again.
pub(super) fn encode(name: &OsStr) -> String {
    let byte = |byte: &u8| match *byte {
        plain if plain.is_ascii_alphanumeric() || b"._-+,=:@%".contains(&plain) => char::from(plain).to_string(),
        other => format!("\\0{other:03o}"),
    };
    name.as_bytes().iter().map(byte).collect()
}

/// A path on a host without the `~` that a shell would have replaced: a login starts in its home directory.
pub(super) fn from_home(path: &str) -> String {
    match path.strip_prefix('~') {
        Some("") => ".".to_owned(),
        Some(rest) if rest.starts_with('/') => format!("./{}", rest.trim_start_matches('/')),
        _ if path.is_empty() => ".".to_owned(),
        // No option of any command.
        _ if path.starts_with('-') => format!("./{path}"),
        _ => path.to_owned(),
    }
}

/// A shell's pattern as a word of a shell that has nothing in it but the pattern: all that is no `*`, `?` or bracket is quoted.
pub(super) fn pattern(text: &str) -> String {
    let mut word = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '*' | '?' | '[' | ']' | '!' | '^' | '-' => word.push(c),
            '\\' => word.push_str(&quote(characters.next().unwrap_or(c).encode_utf8(&mut [0; 4]))),
            c => word.push_str(&quote(c.encode_utf8(&mut [0; 4]))),
        }
    }
    word
}

/// Whether a name that a host says is that of one file in one directory.
pub(super) fn is_plain(name: &[u8]) -> bool {
    !name.is_empty() && name != b"." && name != b".." && !name.contains(&b'/')
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{encode, from_home, is_plain, pattern};

    #[test]
    fn odd_names_survive_a_shell() {
        let name = "a b\\n\n'\"$x*é-";
        let text = format!("printf '%b' '{}'", encode(OsStr::new(name)));
        let output = std::process::Command::new("/bin/sh").args(["-c", &text]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), name);
    }

    #[test]
    fn a_pattern_matches_and_does_nothing_else() {
        let text = "/us[r]/b?n/$(id) `x` ; ' \\* \" > & ~#é";
        let script = format!("printf '%s' {}", pattern(text));
        let output = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text.replace('\\', ""));
        let script = format!("printf '%s' {}", pattern("/us[r]/b[!a]n"));
        let output = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "/usr/bin");
    }

    #[test]
    fn home_is_where_a_login_starts() {
        for (path, expected) in
            [("~", "."), ("~/a", "./a"), ("~//a", "./a"), ("a~", "a~"), ("", "."), ("-r", "./-r"), ("/~/x", "/~/x")]
        {
            assert_eq!(from_home(path), expected);
        }
    }

    #[test]
    fn a_host_names_no_other_directory() {
        for bad in ["", ".", "..", "a/b", "/etc"] {
            assert!(!is_plain(bad.as_bytes()), "{bad}");
        }
        assert!(is_plain(b"..."));
    }
}
