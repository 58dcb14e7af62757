use std::path::PathBuf;

use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::names::from_home;
use super::source::Source;
use crate::base::quote;
use crate::host::{Exit, Host, HostError, Output, Program, Request, Stream, User};

/// Copies `sources` of this machine to `target` on a host: into it where it is a directory, which is made for more than one.
///
/// What goes wrong with one file is told on `output` as stderr, and the others are still copied; the status is 1 then. Where one
/// of `sources` itself is not there, nothing after it is copied, and the status is 255.
///
/// # Errors
/// Where the connection broke.
pub async fn put(
    host: &dyn Host,
    sources: &[PathBuf],
    target: &str,
    recursive: bool,
    output: &mut dyn Output,
) -> Result<Exit, HostError> {
    let several = if sources.len() > 1 { "yes" } else { "" };
    let script = format!("target={}\nseveral={several}\n{SCRIPT}", quote(&from_home(target)));
    let (sender, receiver) = mpsc::channel(4);
    let source = Source { recursive, sender, complaints: Vec::new(), missing: false };
    let sources = sources.to_vec();
    let reading = tokio::task::spawn_blocking(move || source.send(&sources));
    let input =
        stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|bytes| (bytes, receiver)) });
    let request = Request {
        program: Program::Script { text: script.into(), user: User::Login },
        input: Some(input.boxed()),
        environment: Vec::new(),
        deadline: None,
    };
    let mut stderr = |stream, bytes: &[u8]| {
        if stream == Stream::Stderr {
            output.take(stream, bytes);
        }
    };
    let exit = host.exec(request, &mut stderr).await?;
    // The stream is gone, and with it whoever writes it.
    let (complaints, missing) =
        reading.await.unwrap_or_else(|error| (vec![format!("scp: a bug in kfleet: {error}\n")], false));
    for complaint in &complaints {
        output.take(Stream::Stderr, complaint.as_bytes());
    }
    Ok(match exit {
        _ if missing => Exit::Status(255),
        Exit::Status(0) if !complaints.is_empty() => Exit::Status(1),
        exit => exit,
    })
}

/// Receives lines `F mode size name`, each with its file, `D mode - name` and `E - - -` around what is in a directory.
const SCRIPT: &str = r#"status=0
complain() { printf 'scp: %s: %s\n' "$1" "$2" >&2; status=1; }
if [ -n "$several" ] && [ ! -d "$target" ] && ! reason=$(mkdir -- "$target" 2>&1); then
    complain "$target" "${reason##*: }"
    exit 1
fi
mask=$(umask)
allowed() { printf '%o' "$((0$1 & ~0$mask & 0777))"; }
# From stdin exactly one file: busybox's head would read on into the next.
take() {
    [ "$size" -lt 65536 ] || dd bs=65536 count="$((size / 65536))" iflag=fullblock status=none || return 1
    [ "$((size % 65536))" = 0 ] || dd bs="$((size % 65536))" count=1 iflag=fullblock status=none
}
receive() {
    known=; [ -e "$path" ] && known=yes
    [ -n "$known" ] || umask 077
    reason=$( (: >>"$path") 2>&1 )
    wrong=$?
    umask "$mask"
    if [ "$wrong" != 0 ]; then
        complain "$path" "${reason##*: }"
        take >/dev/null
        return
    fi
    if ! take >"$path"; then
        # How much of it was read cannot be known.
        complain "$path" 'cannot be written'
        exit 1
    fi
    [ -n "$known" ] || chmod "$(allowed "$mode")" "$path" || status=1
}
# Inside of what cannot be made nothing else can: how deep that is.
lost=0
depth=0
here=$target
while IFS=' ' read -r kind mode size word; do
    name=$(printf '%b.' "$word"); name=${name%.}
    if [ "$depth" = 0 ] && [ ! -d "$target" ]; then path=$target; else path=${here%/}/$name; fi
    case $kind in
    F) if [ "$lost" = 0 ]; then receive; else take >/dev/null; fi ;;
    D)
        depth=$((depth + 1))
        if [ "$lost" != 0 ]; then
            lost=$((lost + 1))
        elif [ -d "$path" ]; then
            modes="- $modes" here=$path
        elif reason=$(mkdir -m 700 -- "$path" 2>&1); then
            modes="$(allowed "$mode") $modes" here=$path
        else
            complain "$path" "${reason##*: }"
            lost=1
        fi
        ;;
    E)
        depth=$((depth - 1))
        if [ "$lost" != 0 ]; then
            lost=$((lost - 1))
        else
            # Only now: a directory may be one that its owner cannot write to.
            [ "${modes%% *}" = - ] || chmod "${modes%% *}" "$here" || status=1
            modes=${modes#* }
            if [ "$depth" = 0 ]; then here=$target; else here=${here%/*}; fi
        fi
        ;;
    esac
done
exit "$status"
"#;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::{SCRIPT, Source};
    use crate::base::quote;

    /// Lets a shell receive what `Source` sends; gives its status and what it complained of.
    fn receive(shell: &[&str], sources: &[&Path], target: &Path) -> (Option<i32>, String) {
        let script = format!("target={}\nseveral=\n{SCRIPT}", quote(target.to_str().unwrap()));
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let source = Source { recursive: true, sender, complaints: Vec::new(), missing: false };
        let sources: Vec<_> = sources.iter().map(|path| path.to_path_buf()).collect();
        let sending = std::thread::spawn(move || source.send(&sources));
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        while let Some(bytes) = receiver.blocking_recv() {
            stdin.write_all(&bytes).unwrap();
        }
        drop(stdin);
        assert_eq!(sending.join().unwrap(), (Vec::new(), false));
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    #[test]
    fn any_shell_receives_a_tree() {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let mut shells = vec![vec!["/bin/sh"], vec!["bash", "--posix"]];
        match Path::new("/usr/bin/busybox").exists() {
            true => shells.push(vec!["env", "-i", "/usr/bin/busybox", "sh"]),
            false => println!("left out: busybox, which is not installed"),
        }
        for shell in shells {
            let directory = tempfile::tempdir().unwrap();
            let (tree, there) = (directory.path().join("tree"), directory.path().join("there"));
            fs::create_dir_all(tree.join("in ner")).unwrap();
            let big: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
            fs::write(tree.join("big"), &big).unwrap();
            fs::write(tree.join("in ner/$x'\\ y"), "odd").unwrap();
            fs::write(tree.join("last"), "").unwrap();
            fs::set_permissions(tree.join("in ner"), PermissionsExt::from_mode(0o500)).unwrap();
            fs::set_permissions(tree.join("big"), PermissionsExt::from_mode(0o755)).unwrap();
            assert_eq!(receive(&shell, &[&tree], &there), (Some(0), String::new()), "{shell:?}");
            assert_eq!(fs::read(there.join("big")).unwrap(), big, "{shell:?}");
            assert_eq!(fs::read_to_string(there.join("in ner/$x'\\ y")).unwrap(), "odd", "{shell:?}");
            assert_eq!((mode(&there.join("in ner")), mode(&there.join("big"))), (0o500, 0o755), "{shell:?}");
            // What cannot be written is skipped, and what comes after it arrives.
            fs::remove_dir_all(&there).unwrap();
            fs::create_dir_all(there.join("tree/big")).unwrap();
            let (status, complaints) = receive(&shell, &[&tree], &there);
            assert_eq!(status, Some(1), "{shell:?}: {complaints}");
            assert!(complaints.starts_with("scp: ") && complaints.contains("tree/big: "), "{shell:?}: {complaints}");
            assert_eq!(fs::read_to_string(there.join("tree/in ner/$x'\\ y")).unwrap(), "odd", "{shell:?}");
            assert!(there.join("tree/last").exists(), "{shell:?}");
        }
    }
}
