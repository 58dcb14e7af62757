use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::answer::Answer;
use super::arriving::Arriving;
use super::ask::{LINES, dotted, head, hear, look};
use super::copy::Copied;
use super::entry::Entry;
use super::error::TransferError;
use super::landing::Landing;
use super::left_out::LeftOut;
use super::manifest;
use super::progress::Progress;
use super::send::pieces;
use super::words::assign;
use crate::base::{LastLines, nonce};
use crate::host::{Exit, Host, Program, Request, Stream, User};

/// What is fetched.
#[derive(Debug, Clone)]
pub struct Fetching {
    /// A file or a tree on the hosts, from the directory that a login starts in where it does not begin with `/`. One that ends with
    /// `/` stands for what is in the directory.
    pub source: Vec<u8>,
    /// What it is called here, in place of its own name.
    pub name: Option<Vec<u8>>,
    /// Who reads.
    pub user: User,
    /// Whether it is only told what would be done.
    pub dry: bool,
}

/// Fetches a file or a tree from a host into the directory `into`, which is made where it is missing, and leaves alone what is there
/// already. The host is not trusted: whatever it says, nothing is written outside of that directory, and no more than it announced.
///
/// # Errors
/// [`TransferError`]; what was put in place by then is whole.
pub async fn fetch(
    host: &dyn Host,
    fetching: &Fetching,
    into: &Path,
    progress: &Progress,
) -> Result<Copied, TransferError> {
    let mark = nonce().map_err(|error| TransferError::Local(error.to_string()))?;
    let Source { entries, left_out, base, is_tree } = ask(host, fetching, &mark).await?;
    let is_contents = is_tree && fetching.source.ends_with(b"/") && fetching.name.is_none();
    let target = if is_contents { into.to_owned() } else { into.join(OsStr::from_bytes(own_name(fetching, &base)?)) };
    let (into, dry) = (into.to_owned(), fetching.dry);
    let landing = tokio::task::spawn_blocking(move || Landing::between(entries, into, target, dry));
    let landing = landing.await.map_err(|error| TransferError::Local(error.to_string()))??;
    let fetched = match dry {
        true => landing.copied(),
        false => receive(host, fetching.user, &base, landing, &mark, progress).await?,
    };
    Ok(Copied { left_out, ..fetched })
}

const ASK: &str = r#"case $source in /*) ;; *) source=./$source ;; esac
if [ -d "$source" ]; then
    cd "$source" || exit 1
    here=$(pwd -P; echo .); say base "${here%??}"
    find . -print0 | look
elif [ -f "$source" ]; then
    if [ -L "$source" ]; then source=$(readlink -f "$source"; echo .); source=${source%??}; fi
    name=${source##*/}
    cd "${source%/*}/" || exit 1
    here=$(pwd -P; echo .); say base "${here%??}"
    say file "$name"
    printf './%s\0' "$name" | look
elif [ -e "$source" ] || [ -L "$source" ]; then
    say special ''
else
    say missing ''
fi
say end ''
exit 0
"#;

/// What a host has at its source.
struct Source {
    entries: Vec<Entry>,
    left_out: LeftOut,
    /// The directory that their paths are below.
    base: Vec<u8>,
    is_tree: bool,
}

async fn ask(host: &dyn Host, fetching: &Fetching, mark: &str) -> Result<Source, TransferError> {
    let script = head(mark) + &assign("source", &fetching.source) + &look() + ASK;
    let heard = hear(host, script.into(), None, fetching.user).await?;
    let answer = Answer::parse(&heard.stdout, mark);
    let source = String::from_utf8_lossy(&fetching.source);
    if let Some(tool) = answer.text("lacks") {
        return Err(TransferError::lacks(&tool));
    }
    if answer.said.contains_key("missing") {
        let hint = match source.contains(['*', '?', '[']) {
            true => "patterns are not expanded: fetch the directory, or one path at a time",
            false => "--sudo looks as root",
        };
        return Err(TransferError::refused(format!("there is no {source}, or no way to it"), hint));
    }
    if answer.said.contains_key("special") {
        return Err(TransferError::refused(format!("{source} is no file and no directory"), ""));
    }
    let denied = heard.complaints.iter().any(|line| line.contains("Permission denied"));
    if denied || !heard.exit.success() || !answer.said.contains_key("end") {
        return Err(TransferError::said(&format!("cannot read all of {source}"), heard.reasons(&answer)));
    }
    let is_tree = !answer.said.contains_key("file");
    let (entries, left_out) = manifest::entries(&answer, is_tree)?;
    Ok(Source { entries, left_out, base: answer.said.get("base").cloned().unwrap_or_default(), is_tree })
}

/// What it is called here; the host has no say in it but where the source is named by dots alone.
fn own_name<'a>(fetching: &'a Fetching, base: &'a [u8]) -> Result<&'a [u8], TransferError> {
    let last = |path: &'a [u8]| path.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty());
    let names = [fetching.name.as_deref(), last(&fetching.source), last(base)];
    let name = names.into_iter().flatten().find(|name| manifest::is_plain(name) && !name.contains(&b'/'));
    name.ok_or_else(|| {
        TransferError::refused("what is fetched has no name of its own", "write `/` behind it for what is in it")
    })
}

/// Sends the files one behind another, as many bytes as all had: nothing stands between them, so there is nothing to forge, and the
/// first that is not any more what it was does not match its checksum, nor do those behind it.
const ALL: &str = r#"xargs -0 cat | head -c "$total"
"#;

/// Sends each file as it is by now: its length, which is not more than the one before its name, its checksum, and then so many bytes.
/// What was appended to meanwhile still matches. A file of the kernel's has no length, and may be another each time: it is kept first.
const EACH: &str = r#"spool=$(mktemp) && export spool untold
trap 'rm -f "$spool"' EXIT
trap 'exit 1' HUP INT PIPE TERM
xargs -0 sh -c '
    for file do
        size=${file%% *} path=${file#* }
        if ! [ -f "$path" ] || ! [ -r "$path" ]; then printf "%084d" 0; continue; fi
        if [ "$size" = 0 ]; then
            head -c "$untold" <"$path" >"$spool" || { printf "%084d" 0; continue; }
            size=$untold path=$spool
        fi
        length=$(head -c "$size" <"$path" | wc -c)
        sum=$(head -c "$length" <"$path" | sha256sum)
        printf "%020d%s" "$length" "${sum%% *}"
        # As much as was said, whatever becomes of it meanwhile.
        { head -c "$length" <"$path"; head -c "$length" /dev/zero; } | head -c "$length"
    done' sh
"#;

/// Has the host send what is missing here, and puts it in place: all of it at once, and then by itself what did not come whole.
async fn receive(
    host: &dyn Host,
    user: User,
    base: &[u8],
    mut landing: Landing,
    mark: &str,
    progress: &Progress,
) -> Result<Copied, TransferError> {
    let begun = landing.begin();
    progress.place(landing.placed);
    begun?;
    let head = head(mark) + &assign("base", base) + "cd \"$base\" || exit 1\n";
    let total = landing.bytes();
    if total > 0 {
        // Of those that hold nothing nothing comes.
        let list = landing.wanted().filter(|entry| entry.size() > 0);
        let list = list.flat_map(|entry| [dotted(&entry.path), vec![0]].concat()).collect();
        let script = format!("{head}total={total}\n{ALL}");
        stream(host, user, script, list, &mut landing, progress).await?;
    }
    if landing.again()? {
        let line = |entry: &Entry| [entry.size().to_string().as_bytes(), b" ", &dotted(&entry.path), b"\0"].concat();
        let list = landing.wanted().flat_map(line).collect();
        let script = format!("{head}untold={}\n{EACH}", Arriving::UNTOLD);
        let (exit, complaints) = stream(host, user, script, list, &mut landing, progress).await?;
        if !landing.is_complete() {
            return Err(TransferError::said(&format!("it did not send all of it ({exit})"), complaints));
        }
    }
    let ended = landing.end();
    progress.place(landing.placed);
    ended
}

/// Has a script send the files that are wanted; how it ended, and what the host's tools complained of.
async fn stream(
    host: &dyn Host,
    user: User,
    script: String,
    list: Vec<u8>,
    landing: &mut Landing,
    progress: &Progress,
) -> Result<(Exit, Vec<String>), TransferError> {
    let total = landing.bytes();
    let program = Program::Script { text: script.into(), user };
    let request = Request { program, input: Some(pieces(list)), environment: Vec::new(), deadline: None };
    // The connection is read by whoever calls the output, so a failure here is told beside it.
    let (broken, failure) = (Notify::new(), Mutex::new(None));
    let mut complaints = LastLines::of(LINES);
    let mut done = 0;
    let mut output = |stream, bytes: &[u8]| match stream {
        Stream::Stderr => complaints.take(bytes),
        Stream::Stdout => {
            let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
            if failure.is_some() {
                return;
            }
            let taken = landing.take(bytes);
            progress.place(landing.placed);
            if let Err(error) = taken {
                *failure = Some(error);
                broken.notify_one();
            }
            done += bytes.len() as u64;
            progress.moved(done.min(total), total);
        }
    };
    let exit = tokio::select! {
        biased;
        () = broken.notified() => None,
        exit = host.exec(request, &mut output) => Some(exit?),
    };
    match (failure.into_inner().unwrap_or_else(PoisonError::into_inner), exit) {
        (None, Some(exit)) => Ok((exit, complaints.end())),
        (Some(error), _) => Err(error),
        (None, None) => Err(TransferError::Local("a transfer was given up".to_owned())),
    }
}
