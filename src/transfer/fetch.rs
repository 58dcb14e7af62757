use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::answer::Answer;
use super::ask::{Complaints, dotted, head, hear, look};
use super::copy::{Copied, Progress};
use super::entry::Entry;
use super::error::TransferError;
use super::landing::Landing;
use super::manifest;
use super::send::pieces;
use super::words::assign;
use crate::base::nonce;
use crate::host::{Host, Program, Request, Stream, User};

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
    let Source { entries, base, is_tree } = ask(host, fetching, &mark).await?;
    let is_contents = is_tree && fetching.source.ends_with(b"/") && fetching.name.is_none();
    let target = if is_contents { into.to_owned() } else { into.join(OsStr::from_bytes(own_name(fetching, &base)?)) };
    let (into, dry) = (into.to_owned(), fetching.dry);
    let landing = tokio::task::spawn_blocking(move || Landing::between(entries, into, target, dry));
    let landing = landing.await.map_err(|error| TransferError::Local(error.to_string()))??;
    if dry { Ok(landing.copied()) } else { receive(host, fetching.user, &base, landing, &mark, progress).await }
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
        return Err(TransferError::refused(format!("there is no {source}, or no way to it"), "--sudo looks as root"));
    }
    if answer.said.contains_key("special") {
        return Err(TransferError::refused(format!("{source} is no file and no directory"), ""));
    }
    let denied = heard.complaints.iter().any(|line| line.contains("Permission denied"));
    if denied || !heard.exit.success() || !answer.said.contains_key("end") {
        return Err(TransferError::said(&format!("cannot read all of {source}"), heard.complaints));
    }
    let is_tree = !answer.said.contains_key("file");
    let entries = manifest::entries(&answer, is_tree)?;
    Ok(Source { entries, base: answer.said.get("base").cloned().unwrap_or_default(), is_tree })
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
/// first that is not any more what it was does not match its checksum.
const SCRIPT: &str = r#"cd "$base" || exit 1
xargs -0 cat | head -c "$total"
"#;

/// Has the host send what is missing here, and puts it in place.
async fn receive(
    host: &dyn Host,
    user: User,
    base: &[u8],
    mut landing: Landing,
    mark: &str,
    progress: &Progress,
) -> Result<Copied, TransferError> {
    let list: Vec<u8> = landing.wanted().flat_map(|entry| [dotted(&entry.path), vec![0]].concat()).collect();
    let total = landing.bytes();
    landing.begin()?;
    if total > 0 {
        let script = head(mark) + &assign("base", base) + &format!("total={total}\n{SCRIPT}");
        let program = Program::Script { text: script.into(), user };
        let request = Request { program, input: Some(pieces(list)), environment: Vec::new(), deadline: None };
        // The connection is read by whoever calls the output, so a failure here is told beside it.
        let (broken, failure) = (Notify::new(), Mutex::new(None));
        let mut complaints = Complaints::default();
        let mut done = 0;
        let mut output = |stream, bytes: &[u8]| match stream {
            Stream::Stderr => complaints.take(bytes),
            Stream::Stdout => {
                let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                if failure.is_some() {
                    return;
                }
                if let Err(error) = landing.take(bytes) {
                    *failure = Some(error);
                    broken.notify_one();
                }
                done += bytes.len() as u64;
                progress(done.min(total), total);
            }
        };
        let exit = tokio::select! {
            biased;
            () = broken.notified() => None,
            exit = host.exec(request, &mut output) => Some(exit?),
        };
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        if let Some(exit) = exit.filter(|_| !landing.is_complete()) {
            return Err(TransferError::said(&format!("it did not send all of it ({exit})"), complaints.end()));
        }
    }
    landing.end()
}
