use secrecy::SecretString;

use super::answer::{Answer, STAT};
use super::copy::{Copying, Landing};
use super::error::TransferError;
use super::parcel::{Parcel, Shape};
use super::words::assign;
use crate::base::LastLines;
use crate::host::{Exit, Host, Input, Program, Request, Stream, User};

/// More than the answer for a million files is no answer.
const MOST: usize = 512 << 20;
/// What is kept of what the host's tools complain of.
pub(super) const LINES: usize = 8;

/// What a script wrote, and how it ended.
pub(super) struct Heard {
    pub stdout: Vec<u8>,
    pub complaints: Vec<String>,
    pub exit: Exit,
}

/// Runs a script, and keeps what it says.
pub(super) async fn hear(
    host: &dyn Host,
    script: SecretString,
    input: Option<Input>,
    user: User,
) -> Result<Heard, TransferError> {
    follow(host, script, input, user, |_| ()).await
}

/// The same; each time when there is more on stdout, `said` gets all of it.
pub(super) async fn follow(
    host: &dyn Host,
    script: SecretString,
    input: Option<Input>,
    user: User,
    mut said: impl FnMut(&[u8]) + Send,
) -> Result<Heard, TransferError> {
    let program = Program::Script { text: script, user };
    let request = Request { program, input, environment: Vec::new(), deadline: None };
    let (mut stdout, mut complaints) = (Vec::new(), LastLines::of(LINES));
    let mut output = |stream, bytes: &[u8]| match stream {
        Stream::Stdout => {
            stdout.extend_from_slice(&bytes[..bytes.len().min(MOST - stdout.len())]);
            said(&stdout);
        }
        Stream::Stderr => complaints.take(bytes),
    };
    let exit = host.exec(request, &mut output).await?;
    if stdout.len() == MOST {
        return Err(TransferError::refused("it tells of more files than can be", ""));
    }
    Ok(Heard { stdout, complaints: complaints.end(), exit })
}

impl Heard {
    /// What it says of a failure: stderr's last lines, or those of stdout of a login shell that runs nothing.
    pub(super) fn reasons(self, answer: &Answer) -> Vec<String> {
        if !self.complaints.is_empty() || !answer.said.is_empty() {
            return self.complaints;
        }
        let mut lines = LastLines::of(LINES);
        lines.take(&self.stdout);
        lines.end()
    }
}

/// At the start of every script here.
pub(super) fn head(mark: &str) -> String {
    format!(
        r#"LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
umask 077
mark={mark}; export mark
say() {{ printf '%s %s %s' "$mark" "$1" "$2"; }}
for tool in sha256sum stat tar xargs; do
    command -v "$tool" >/dev/null 2>&1 || {{ say lacks "$tool"; exit 0; }}
done
"#
    )
}

/// Tells of many paths at once: what they are, and of the regular files among them what they hold.
pub(super) fn look() -> String {
    format!(
        r#"look() {{ xargs -0 sh -c '
    stat -c "$mark stat {STAT}" "$@" 2>/dev/null
    count=$#
    for path do
        if [ -L "$path" ]; then
            printf "%s link %s\\0" "$mark" "$path"
            readlink "$path"
        elif [ -f "$path" ]; then
            set -- "$@" "$path"
        fi
    done
    shift "$count"
    printf "%s sums " "$mark"
    [ $# = 0 ] || sha256sum "$@"
' sh; }}
"#
    )
}

/// Finds out where a parcel goes on a host.
const RESOLVE: &str = r#"made=no; there=no
case $rule in
file)
    if [ -d "$dest" ]; then
        [ -n "$name" ] || { say directory "$dest"; exit 0; }
        target=$dest
    else
        case $dest in
        */) target=$dest; made=yes ;;
        *) name=${dest##*/}; target=${dest%"$name"}; target=${target:-.} ;;
        esac
    fi ;;
inside) target=${dest%/}/$name; made=yes ;;
scp) if [ -d "$dest" ]; then target=${dest%/}/$name; else target=$dest; fi; made=yes ;;
into) target=$dest; made=yes ;;
there) target=$dest ;;
esac
case $target in
/*) ;;
*) target=./$target ;;
esac
parent() {
    parent=$1
    while :; do case $parent in */) parent=${parent%/} ;; *) break ;; esac; done
    parent=${parent%/*}; parent=${parent:-/}
}
if [ -d "$target" ]; then
    cd "$target" || exit 1
    here=$(pwd -P; echo .); say base "${here%??}"
    there=yes
elif [ -e "$target" ] || [ -L "$target" ]; then
    say occupied "$target"; exit 0
else
    [ "$made" = yes ] || { say orphan "$target"; exit 0; }
    parent "$target"
    if [ "$rule" = inside ] && [ ! -e "$parent" ]; then parent "$parent"; fi
    if [ ! -d "$parent" ]; then
        if [ -e "$parent" ]; then say occupied "$parent"; else say orphan "$parent"; fi
        exit 0
    fi
    say absent "$target"
fi
say name "$name"
say uid "$(id -u)"
"#;

/// What runs that are no more have left.
const CLEAN: &str = r#"for old in .kfleet-copy-"$(uname -n)".*; do
    [ -d "$old" ] || continue
    process=${old%.*}; process=${process##*.}
    [ -d "/proc/$process" ] || kill -0 "$process" 2>/dev/null || rm -rf "./$old"
done
"#;

/// Asks a host what it has of what it is to get. One request, which changes nothing but what dead runs have left.
pub(super) async fn ask(
    host: &dyn Host,
    parcel: &Parcel,
    copying: &Copying,
    mark: &str,
) -> Result<Answer, TransferError> {
    let (rule, name) = match (&parcel.shape, copying.landing) {
        (Shape::File(name), _) => ("file", name.as_slice()),
        (Shape::Tree(name), Landing::Inside) => ("inside", name.as_slice()),
        (Shape::Tree(name), Landing::Scp) => ("scp", name.as_slice()),
        (Shape::Into(_), Landing::Inside) => ("into", &b""[..]),
        (Shape::Into(_), Landing::Scp) => ("there", &b""[..]),
    };
    let mut script = head(mark) + &assign("dest", &copying.destination) + &assign("name", name);
    script += &format!("rule={rule}\n{}{RESOLVE}", look());
    if !copying.dry {
        script += &format!("[ $there = no ] || {{\n{CLEAN}}}\n");
    }
    script += "[ $there = yes ] || exit 0\n";
    let input = match parcel.shape {
        Shape::File(_) => {
            script += "printf './%s\\0' \"$name\" | look\n";
            None
        }
        _ => {
            script += "look\n";
            let list: Vec<u8> =
                parcel.entries.iter().flat_map(|entry| [dotted(&entry.path), vec![0]].concat()).collect();
            Some(super::send::pieces(list))
        }
    };
    if copying.delete {
        script += "printf '%s listed ' \"$mark\"\n";
        for root in parcel.shape.roots() {
            let root = if root.is_empty() { b".".to_vec() } else { dotted(root) };
            script += &assign("root", &root);
            script += "[ ! -d \"$root\" ] || [ -L \"$root\" ] || find \"$root\" -print0\n";
        }
    }
    script += "exit 0\n";
    let heard = hear(host, script.into(), input, copying.user).await?;
    let answer = Answer::parse(&heard.stdout, mark);
    let destination = String::from_utf8_lossy(&copying.destination);
    if let Some(tool) = answer.text("lacks") {
        return Err(TransferError::lacks(&tool));
    }
    if let Some(path) = answer.text("occupied") {
        return Err(TransferError::refused(format!("{path} is there and is no directory"), ""));
    }
    if let Some(path) = answer.text("directory") {
        return Err(TransferError::refused(
            format!("{path} is a directory there"),
            "say what the file is called in it",
        ));
    }
    if let Some(path) = answer.text("orphan") {
        let hint = "make it first, or see whether the path is right";
        return Err(TransferError::refused(format!("there is no directory {path}, or no way into it"), hint));
    }
    if !heard.exit.success() || !(answer.said.contains_key("uid")) {
        let what = format!("cannot look at {destination} ({})", heard.exit);
        return Err(TransferError::said(&what, heard.reasons(&answer)));
    }
    Ok(answer)
}

/// As the host's tools are given it: never an option, whatever the name.
pub(super) fn dotted(path: &[u8]) -> Vec<u8> {
    if path.is_empty() { b".".to_vec() } else { [b"./", path].concat() }
}
