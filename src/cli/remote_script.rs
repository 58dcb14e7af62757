use std::fs::File;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;

use crate::base::quote;

/// A script file of this machine that is to run on hosts, with its arguments.
pub(super) struct RemoteScript {
    body: Bytes,
    runner: String,
}

impl RemoteScript {
    /// In bytes; what is larger is a file named by mistake.
    const LARGEST: u64 = 16 << 20;

    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or its first line names no interpreter that could be run.
    pub(super) fn read(file: &Path, arguments: &[String]) -> Result<Self, String> {
        let mut body = Vec::new();
        let read = File::open(file).and_then(|open| open.take(Self::LARGEST + 1).read_to_end(&mut body));
        read.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        if body.len() as u64 > Self::LARGEST {
            return Err(format!("{} is larger than {} MiB", file.display(), Self::LARGEST >> 20));
        }
        let interpreter = interpreter(&body).map_err(|reason| format!("{}:1: {reason}", file.display()))?;
        let name = file.file_name().map_or_else(|| "script".into(), |name| name.to_string_lossy());
        let runner = runner(&interpreter, body.len(), &quote(&name), arguments);
        Ok(Self { body: body.into(), runner })
    }

    /// The file's bytes.
    pub(super) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// What runs on a host, with the file's bytes and then the script's own input on stdin.
    pub(super) fn runner(&self) -> String {
        self.runner.clone()
    }
}

/// A file, and not more of the runner, because the interpreter may be any; of this name, because scripts show theirs.
///
/// The interpreter is named here and not left to the system, which runs nothing where temporary files are mounted noexec. A file
/// that did not arrive whole is not run.
///
/// dd takes the file as one block, however many pieces it arrives in; busybox's head would read on into the script's input.
fn runner(interpreter: &[String], length: usize, name: &str, arguments: &[String]) -> String {
    let words = |words: &[String]| words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
    let blocks = length.min(1);
    let block = length.max(1);
    format!(
        r#"dir=$(mktemp -d "${{TMPDIR:-/tmp}}/kfleet.XXXXXXXXXX") || exit
trap 'trap "" HUP INT TERM; rm -rf "$dir"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
dd bs={block} count={blocks} iflag=fullblock status=none > "$dir"/{name} || exit
[ "$(wc -c < "$dir"/{name})" -eq {length} ] || exit
chmod u+x "$dir"/{name} || exit
{} "$dir"/{name} {}
exit"#,
        words(interpreter),
        words(arguments)
    )
}

/// The words before the file's name, as Linux takes them from `#!`: the interpreter, and the rest of the line as one argument.
fn interpreter(body: &[u8]) -> Result<Vec<String>, &'static str> {
    let Some(line) = body.strip_prefix(b"#!") else { return Ok(vec!["/bin/sh".to_owned()]) };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| "the interpreter's name is not UTF-8")?;
    if line.ends_with('\r') {
        return Err("the line ends in a carriage return: save the file with Unix line ends");
    }
    let (program, argument) = line.trim().split_once([' ', '\t']).unwrap_or((line.trim(), ""));
    if program.is_empty() {
        return Err("there is no interpreter behind `#!`");
    }
    Ok([program, argument.trim()].into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::{RemoteScript, interpreter};

    #[test]
    fn the_first_line_names_the_interpreter() {
        for (body, words) in [
            ("echo", Ok(&["/bin/sh"][..])),
            ("", Ok(&["/bin/sh"])),
            ("#!/bin/bash\nx", Ok(&["/bin/bash"])),
            ("#! /usr/bin/env  python3 -u \n", Ok(&["/usr/bin/env", "python3 -u"])),
            ("#!\n", Err("there is no interpreter behind `#!`")),
            ("#!/bin/sh\r\n", Err("the line ends in a carriage return: save the file with Unix line ends")),
        ] {
            let words = words.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
            assert_eq!(interpreter(body.as_bytes()), words, "{body:?}");
        }
    }

    #[test]
    fn it_runs_whole_or_not_at_all_and_nothing_of_it_stays() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("say it's.sh");
        std::fs::write(&file, "#!/bin/sh -u\necho \"$(basename \"$0\"): $1 $2\"; cat; exit 3\n").unwrap();
        let remote = temp.path().join("remote");
        std::fs::create_dir(&remote).unwrap();
        let script = RemoteScript::read(&file, &["a  b".to_owned(), "$x".to_owned()]).unwrap();
        let body = script.body();
        let whole = [&body[..], b"input"].concat();
        for (pieces, status, said) in [
            ([&whole[..], b""], 3, "say it's.sh: a  b $x\ninput"),
            ([&body[..9], &whole[9..]], 3, "say it's.sh: a  b $x\ninput"),
            ([&body[..20], b""], 1, ""),
        ] {
            for path in paths(temp.path()) {
                let mut shell = Command::new("sh");
                shell.args(["-c", &script.runner()]).env("PATH", &path).env("TMPDIR", &remote);
                let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
                let mut stdin = shell.stdin.take().unwrap();
                for piece in pieces {
                    stdin.write_all(piece).unwrap();
                    std::thread::sleep(Duration::from_millis(50));
                }
                drop(stdin);
                let ended = shell.wait_with_output().unwrap();
                let (status_there, said_there) = (ended.status.code(), String::from_utf8(ended.stdout).unwrap());
                assert_eq!((status_there, said_there.as_str()), (Some(status), said), "{path}");
                assert_eq!(std::fs::read_dir(&remote).unwrap().count(), 0);
            }
        }
    }

    #[test]
    fn an_empty_script_runs() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("empty");
        std::fs::write(&file, "").unwrap();
        let script = RemoteScript::read(&file, &[]).unwrap();
        for path in paths(temp.path()) {
            let mut shell = Command::new("sh");
            shell.args(["-c", &script.runner()]).env("PATH", &path).env("TMPDIR", temp.path());
            assert!(shell.stdin(Stdio::null()).status().unwrap().success(), "{path}");
        }
    }

    /// Where a host may have its tools: this machine's, and busybox's where there is one.
    fn paths(temp: &Path) -> Vec<String> {
        let own = "/usr/bin:/bin".to_owned();
        let Some(busybox) = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists())
        else {
            println!("left out: there is no busybox on this machine");
            return vec![own];
        };
        let tools = temp.join("tools");
        if !tools.exists() {
            std::fs::create_dir(&tools).unwrap();
            for tool in ["basename", "cat", "chmod", "dd", "mktemp", "rm", "sh", "wc"] {
                std::os::unix::fs::symlink(busybox, tools.join(tool)).unwrap();
            }
        }
        vec![own, tools.display().to_string()]
    }
}
