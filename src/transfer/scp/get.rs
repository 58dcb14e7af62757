use std::path::Path;

use super::names::{self, from_home};
use super::received::Received;
use crate::base::nonce;
use crate::host::{Exit, Host, HostError, Output, Program, Request, Stream, User};

/// Copies what `pattern` matches on a host to `into` on this machine: into it where it is a directory, which is made for more than
/// one.
///
/// What goes wrong with one file is told on `output` as stderr, and the others are still copied; the status is 1 then.
///
/// # Errors
/// Where the connection broke.
pub async fn get(
    host: &dyn Host,
    pattern: &str,
    into: &Path,
    recursive: bool,
    output: &mut dyn Output,
) -> Result<Exit, HostError> {
    let mark = match nonce() {
        Ok(mark) => mark,
        Err(error) => {
            output.take(Stream::Stderr, format!("scp: no random numbers: {error}\n").as_bytes());
            return Ok(Exit::Status(1));
        }
    };
    let recursive = if recursive { "yes" } else { "" };
    let script =
        format!("mark={mark}\nrecursive={recursive}\nset -- {}\n{SCRIPT}", names::pattern(&from_home(pattern)));
    let request = Request {
        program: Program::Script { text: script.into(), user: User::Login },
        input: None,
        environment: Vec::new(),
        deadline: None,
    };
    let mut received = Received::new(&mark, into);
    let mut sink = |stream, bytes: &[u8]| match stream {
        Stream::Stdout => received.take(bytes),
        Stream::Stderr => output.take(stream, bytes),
    };
    let exit = host.exec(request, &mut sink).await?;
    let complaints = received.end();
    for complaint in &complaints {
        output.take(Stream::Stderr, complaint.as_bytes());
    }
    Ok(if exit.success() && !complaints.is_empty() { Exit::Status(1) } else { exit })
}

/// Sends what its arguments are: a mark, then `F mode size name`, each with its file, `D mode - name` and `E - - -`; each of these ends with a NUL.
const SCRIPT: &str = r#"complain() { printf 'scp: %s: %s\n' "$1" "$2" >&2; }
name_of() { name=${1%/}; name=${name##*/}; }
file() {
    size=$(stat -L -c %s -- "$1") && mode=$(stat -L -c %a -- "$1") || return 1
    if ! [ -r "$1" ]; then complain "$1" 'Permission denied'; return 1; fi
    name_of "$1"
    printf 'F %s %s %s\0' "$mode" "$size" "$name"
    # Exactly as much as was said, whatever becomes of the file meanwhile.
    [ "$size" = 0 ] || { head -c "$size" <"$1"; head -c "$size" /dev/zero 2>/dev/null; } | head -c "$size"
}
# A subshell, so that each directory has its own variables.
directory() (
    mode=$(stat -L -c %a -- "$1") || exit 1
    name_of "$1"
    printf 'D %s - %s\0' "$mode" "$name"
    status=0
    [ -r "$1" ] && [ -x "$1" ] || { complain "$1" 'Permission denied'; status=1; }
    for inner in "${1%/}"/* "${1%/}"/.[!.]* "${1%/}"/..?*; do
        [ -e "$inner" ] || [ -L "$inner" ] || continue
        entry "$inner" || status=1
    done
    printf 'E - - -\0'
    exit "$status"
)
entry() {
    if [ -f "$1" ]; then file "$1"
    elif [ -d "$1" ] && [ -n "$recursive" ]; then directory "$1"
    elif [ -d "$1" ]; then complain "$1" 'not a regular file; -r copies directories'; return 1
    elif [ -e "$1" ]; then complain "$1" 'not a regular file'; return 1
    else complain "$1" 'No such file or directory'; return 1
    fi
}
printf '%s\0' "$mark $#"
status=0
for found do entry "$found" || status=1; done
exit "$status"
"#;
