use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::answer::Answer;
use super::ask::{follow, head};
use super::blocks::Blocks;
use super::changes::Changes;
use super::copy::{Copying, Landing};
use super::entry::{Entry, Kind};
use super::error::TransferError;
use super::operations::{done, operations, placed};
use super::parcel::{Parcel, Shape};
use super::progress::Progress;
use super::tar;
use super::words::assign;
use crate::host::{Host, Input};

/// Sends a host what it needs, and has it put in place: all of it arrives beside its place and is checked before any of it takes
/// its place, each file by one rename. Where that is cut short, what has arrived is removed by the host itself.
pub(super) async fn send(
    host: &dyn Host,
    parcel: &Arc<Parcel>,
    answer: &Answer,
    changes: &Changes,
    copying: &Copying,
    mark: &str,
    progress: &Progress,
) -> Result<(), TransferError> {
    let target = answer.said.get("base").or_else(|| answer.said.get("absent")).map(Vec::as_slice).unwrap_or_default();
    let inside = copying.landing == Landing::Inside && matches!(parcel.shape, Shape::Tree(_));
    let script =
        format!("{}{}inside={}\n{SCRIPT}", head(mark), assign("target", target), if inside { "yes" } else { "no" });
    let name = answer.said.get("name").map(Vec::as_slice).unwrap_or_default();
    let operations = operations(parcel, changes, copying, name);
    let short = Arc::new(Mutex::new(BTreeSet::new()));
    let (sender, receiver) = channel(2);
    let stream = Stream {
        parcel: Arc::clone(parcel),
        operations,
        files: changes.puts().map(|index| (index, copying.mode_of(&parcel.entries[index]))).collect(),
        short: Arc::clone(&short),
        sender,
        buffer: BytesMut::new(),
        contents: 0,
        written: 0,
    };
    tokio::spawn(stream.write());
    let input = counted(receiver, changes.size(parcel), progress.clone());
    let placed = placed(parcel, changes);
    let said = |stdout: &[u8]| {
        if let Some(paths) = done(stdout, mark).and_then(|done| placed.get(done)) {
            progress.place(*paths);
        }
    };
    let heard = follow(host, script.into(), Some(input), copying.user, said).await?;
    let said = Answer::parse(&heard.stdout, mark);
    if said.said.contains_key("done") {
        return Ok(());
    }
    let changed = short.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(damaged) = said.text("damaged") {
        return Err(damage(parcel, &damaged, &changed));
    }
    let what = match said.text("failed") {
        Some(path) => format!("cannot put {path} in place"),
        None => said.text("cannot").unwrap_or_else(|| format!("did not take all of it ({})", heard.exit)),
    };
    Err(TransferError::said(&what, heard.complaints))
}

/// Receives a tar archive with `ops`, `sums` and the files by their numbers.
const SCRIPT: &str = r#"cannot() { say cannot "$1"; exit 1; }
bad() { say failed "$path"; exit 1; }
if [ ! -d "$target" ]; then
    if [ "$inside" = yes ] && [ ! -d "${target%/*}" ]; then
        mkdir "${target%/*}" && chmod 755 "${target%/*}" || cannot 'make the directory'
    fi
    mkdir "$target" && chmod 755 "$target" || cannot 'cannot make the directory'
fi
cd "$target" || cannot 'cannot enter the directory'
stage=.kfleet-copy-$(uname -n).$$.$mark
trap 'trap "" HUP INT PIPE TERM; rm -rf "./$stage"' EXIT
trap 'exit 1' HUP INT PIPE TERM
mkdir "./$stage" || cannot 'cannot write there'
tar -xpof - -C "./$stage" >&2 || cannot 'cannot take the files'
cat >/dev/null
if [ -s "./$stage/sums" ] && ! (cd "./$stage" && sha256sum -c sums) >"./$stage/checked" 2>/dev/null; then
    say damaged "$(grep -v ': OK$' "./$stage/checked")"
    exit 1
fi
flat=
: >"./$stage/flat" && mv -T "./$stage/flat" "./$stage/flat-too" 2>/dev/null && flat=-T
put() {
    # Without -T, mv moves into a directory that a link leads to.
    [ -n "$flat" ] || [ ! -L "$path" ] || rm -f "$path" || return 1
    mv $flat -f "$from" "$path"
}
own() { [ "$owner" = - ] || chown -h "$owner" "$1"; }
grant() { [ "$mode" = - ] || chmod "$mode" "$1"; }
stamp() { [ "$time" = - ] || touch -c -d "@$time" "$1" 2>/dev/null || touch -c -d "@${time%.*}" "$1"; }
decode() {
    word=$1
    case $word in *\\*) word=$(printf '%b.' "$word"); word=${word%.} ;; esac
}
root=
done=0
while IFS=' ' read -r kind index owner mode time raw rest; do
    decode "$raw"; path=$word
    from=./$stage/$index
    case $kind in
    d) [ "$path" = . ] || mkdir "$path" || bad ;;
    f) own "$from" && grant "$from" && put || bad ;;
    l) decode "$rest"; ln -s -- "$word" "$from" && own "$from" && put || bad ;;
    a) if [ "$path" = . ]; then root="$owner $mode $time"; else own "$path" && grant "$path" && stamp "$path" || bad; fi ;;
    r) rm -rf "$path" || bad ;;
    esac
    done=$((done + 1)); say placed "$done "
done <"./$stage/ops"
rm -rf "./$stage"
if [ -n "$root" ]; then
    path=.
    IFS=' ' read -r owner mode time <<END
$root
END
    own . && grant . && stamp . || bad
fi
say done ''
"#;

/// Writes the archive, as fast as it is taken.
struct Stream {
    parcel: Arc<Parcel>,
    operations: String,
    /// With their modes.
    files: Vec<(usize, u32)>,
    /// Files that had less, or nothing, when they were read again.
    short: Arc<Mutex<BTreeSet<usize>>>,
    sender: Sender<(Bytes, u64)>,
    /// Small pieces are sent together.
    buffer: BytesMut,
    /// How much of the buffer is of files' contents.
    contents: u64,
    written: u64,
}

impl Stream {
    async fn write(mut self) -> Option<()> {
        let mut sums = String::new();
        for (index, _) in &self.files {
            if let Kind::File { sha256, .. } = &self.parcel.entries[*index].kind {
                sums += &sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                sums += &format!("  {index}\n");
            }
        }
        let operations = std::mem::take(&mut self.operations);
        for (name, text) in [("ops", operations), ("sums", sums)] {
            let size = text.len() as u64;
            self.put(tar::header(name, size, 0o600, None).into(), 0).await?;
            self.put(text.into(), 0).await?;
            self.put(tar::padding(size).into(), 0).await?;
        }
        for (index, mode) in std::mem::take(&mut self.files) {
            self.file(index, mode).await?;
        }
        let end = tar::end(self.written);
        self.put(end.into(), 0).await?;
        self.flush().await
    }

    async fn file(&mut self, index: usize, mode: u32) -> Option<()> {
        let parcel = Arc::clone(&self.parcel);
        let Entry { kind: Kind::File { size, .. }, modified, .. } = &parcel.entries[index] else { return Some(()) };
        self.put(tar::header(&index.to_string(), *size, mode | 0o400, *modified).into(), 0).await?;
        let mut left = *size;
        let mut number = 0;
        while left > 0 {
            let wanted = usize::try_from(left.min(Blocks::SIZE)).unwrap_or(0);
            let read = parcel.blocks.read(index, &parcel.origins[index], number).await;
            let mut block = read.unwrap_or_default();
            block.truncate(wanted);
            if block.len() < wanted {
                // Its size is said already: it is filled up, does not match its checksum, and is not put in place.
                self.short.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
                let mut filled = BytesMut::from(&block[..]);
                filled.resize(wanted, 0);
                block = filled.freeze();
            }
            self.put(block, wanted as u64).await?;
            left -= wanted as u64;
            number += 1;
        }
        self.put(tar::padding(*size).into(), 0).await
    }

    async fn put(&mut self, bytes: Bytes, contents: u64) -> Option<()> {
        self.written += bytes.len() as u64;
        if bytes.len() as u64 == Blocks::SIZE {
            self.flush().await?;
            return self.sender.send((bytes, contents)).await.ok();
        }
        self.buffer.extend_from_slice(&bytes);
        self.contents += contents;
        if self.buffer.len() as u64 >= Blocks::SIZE { self.flush().await } else { Some(()) }
    }

    async fn flush(&mut self) -> Option<()> {
        if self.buffer.is_empty() {
            return Some(());
        }
        let (bytes, contents) = (self.buffer.split().freeze(), std::mem::take(&mut self.contents));
        self.sender.send((bytes, contents)).await.ok()
    }
}

/// The stream, as a host takes it; each piece that is taken is told.
fn counted(receiver: Receiver<(Bytes, u64)>, total: u64, progress: Progress) -> Input {
    futures::stream::unfold((receiver, 0), move |(mut receiver, done)| {
        let progress = progress.clone();
        async move {
            let (bytes, contents) = receiver.recv().await?;
            let done = done + contents;
            progress.moved(done, total);
            Some((bytes, (receiver, done)))
        }
    })
    .boxed()
}

/// Bytes that are at hand, piece by piece.
pub(super) fn pieces(bytes: Vec<u8>) -> Input {
    let bytes = Bytes::from(bytes);
    let size = usize::try_from(Blocks::SIZE).unwrap_or(1 << 16);
    let starts = (0..bytes.len()).step_by(size);
    let pieces: Vec<Bytes> = starts.map(|start| bytes.slice(start..bytes.len().min(start + size))).collect();
    futures::stream::iter(pieces).boxed()
}

/// What did not match, in words: `12: FAILED` names the file by its number.
fn damage(parcel: &Parcel, lines: &str, short: &BTreeSet<usize>) -> TransferError {
    let named = lines.split(": ").next().and_then(|number| number.trim().parse::<usize>().ok());
    let index = named.filter(|index| *index < parcel.entries.len()).or_else(|| short.first().copied());
    let Some(index) = index else {
        return TransferError::refused("what arrived is not what was sent; nothing was put in place", "run it again");
    };
    let path = parcel.source(index);
    if short.contains(&index) || parcel.has_changed(index) {
        TransferError::refused(
            format!("{path} changed while it was read; nothing was put in place"),
            "run it again once nobody writes to it",
        )
    } else {
        TransferError::refused(format!("{path} did not arrive whole; nothing was put in place"), "run it again")
    }
}
