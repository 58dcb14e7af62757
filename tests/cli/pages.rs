use std::process::{Command, Stdio};
use std::{fs, io};

use crate::stdout;

#[test]
fn each_shell_gets_completions_for_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&["completions", shell]);
        for word in ["up", "hosts", "completions", "man", "inventory", "ask-sudo-password"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn bash_reads_its_completions() {
    let script = stdout(&["completions", "bash"]);
    let checked = fed(Command::new("bash").arg("-n"), script.as_bytes()).unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn manual_pages_have_the_sections_that_readers_look_for() {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("share/man1");
    stdout(&["man", "--dir", into.to_str().unwrap()]);
    let mut pages: Vec<_> = fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    let names: Vec<_> = pages.iter().map(|page| page.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "kfleet-completions.1",
            "kfleet-copy.1",
            "kfleet-fetch.1",
            "kfleet-history-show.1",
            "kfleet-history.1",
            "kfleet-hosts.1",
            "kfleet-import.1",
            "kfleet-man.1",
            "kfleet-plan.1",
            "kfleet-pnuke.1",
            "kfleet-prsync.1",
            "kfleet-pscp.1",
            "kfleet-pslurp.1",
            "kfleet-pssh.1",
            "kfleet-reinit.1",
            "kfleet-remove.1",
            "kfleet-reset.1",
            "kfleet-run.1",
            "kfleet-shell.1",
            "kfleet-up.1",
            "kfleet.1"
        ]
    );
    for page in &pages {
        let source = fs::read(page).unwrap();
        assert!(String::from_utf8_lossy(&source).contains(".SH EXAMPLES"), "{}", page.display());
        // A machine without groff cannot say more; others do.
        if let Ok(rendered) = fed(Command::new("groff").args(["-ww", "-man", "-Tascii"]), &source) {
            assert_eq!(String::from_utf8_lossy(&rendered.stderr), "", "{}", page.display());
        }
    }
    let up = fs::read_to_string(into.join("kfleet-up.1")).unwrap();
    for heading in ["EXAMPLES", "ENVIRONMENT", "\"EXIT STATUS\""] {
        assert!(up.contains(&format!(".SH {heading}\n")), "{heading}");
    }
}

fn fed(command: &mut Command, input: &[u8]) -> io::Result<std::process::Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || io::Write::write_all(&mut stdin, &input));
    let output = child.wait_with_output()?;
    writer.join().unwrap()?;
    Ok(output)
}
