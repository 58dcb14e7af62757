use std::process::Stdio;

use crate::kfleet;

#[test]
fn a_wrong_command_line_exits_with_2_and_says_what_is_wrong() {
    for (arguments, said) in [
        (&[][..], "Usage: kfleet <COMMAND>"),
        (&["upp"], "a similar subcommand exists: 'up'"),
        (&["up", "--jsn"], "a similar argument exists: '--json'"),
        (&["up", "-j", "0"], "0 is not in 1..="),
        (&["up", "-j", "many"], "invalid digit"),
        (&["up", "--json", "--plain"], "cannot be used with '--plain'"),
        (&["up", "-i"], "a value is required for '--inventory <FILE>'"),
        (&["completions", "tcsh"], "[possible values: bash, elvish, fish, powershell, zsh]"),
    ] {
        let output = kfleet().args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
    }
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    for arguments in [&["--help"][..], &["completions", "bash"], &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kfleet"));
        let child = command.args(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}
