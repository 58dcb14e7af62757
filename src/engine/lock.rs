use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::base::{Interrupt, LastLines, nonce, quote, told};
use crate::events::{Event, Failure, Holder};
use crate::host::{Exit, HostError, Stream};

use super::failure;
use super::pulse::{DOUBT, Pulse};
use super::session::Session;

/// The functions of the script that holds it.
const SCRIPT: &str = include_str!("../../templates/lock.sh");
/// Where it lies on the control plane; gone at the next boot, as what it guards against is.
const FILE: &str = "/run/kfleet/lock";
/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(5);
/// The host lets go this long after the last sign of life that came.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two looks at whether it still is.
const LOOK: Duration = Duration::from_secs(1);
/// The longest that taking it may take.
const TAKING: Duration = Duration::from_secs(30);
/// The longest that letting it go is waited for.
const LEAVING: Duration = Duration::from_secs(5);
/// The most of an answer that is kept, in bytes.
const LONGEST: usize = 64 * 1024;
/// How many lines of what it complains of are kept.
const KEPT_LINES: usize = 20;

/// The lock that a run takes before it changes anything.
#[derive(Debug, Clone)]
pub struct LockOn {
    /// The host that it lies on: the control plane.
    pub host: String,
    /// Who wants it.
    pub holder: Holder,
}

/// What became of the wish for a lock.
pub enum Wish {
    /// It is this run's; whoever is named had it last.
    Granted(Lock, Option<Holder>),
    /// Somebody else has it, who may not have said who it is.
    Refused(Option<Holder>),
}

/// A lock that is held. The host lets go of it when this is dropped, or is not heard of any more.
pub struct Lock {
    /// Set off when it is lost.
    pub lost: Interrupt,
    /// When its host was last heard of.
    pub pulse: Pulse,
    signs: mpsc::Sender<Bytes>,
    beating: JoinHandle<()>,
    holding: JoinHandle<(Result<Exit, HostError>, Vec<String>)>,
}

/// Asks for the lock on a host.
///
/// # Errors
/// When the host gives no answer.
pub async fn wish(session: &Session, holder: &Holder) -> Result<Wish, Failure> {
    let nonce = nonce().map_err(|error| failure::of_workstation(&error.to_string()))?;
    let script = script(FILE, &nonce, PATIENCE, holder);
    let (signs, received) = mpsc::channel(4);
    let input = futures::stream::unfold(received, |mut signs| async { Some((signs.recv().await?, signs)) });
    let (said, lines) = mpsc::unbounded_channel();
    let mut words = Words { nonce, lines };
    let asked = Pulse::now();
    let holding = {
        let session = session.clone();
        tokio::spawn(async move {
            let mut lines = Lines { buffer: Vec::new(), said };
            let mut complaint = LastLines::of(KEPT_LINES);
            let mut take = |stream, bytes: &[u8]| match stream {
                Stream::Stdout => lines.take(bytes),
                Stream::Stderr => complaint.take(bytes),
            };
            let ended = session.hold(script.into(), input.boxed(), &mut take).await;
            (ended, complaint.end())
        })
    };
    let answer = async {
        let free = words.next().await? == "free";
        Some((free, words.lines.recv().await?))
    };
    match timeout(TAKING, answer).await.ok().flatten() {
        Some((true, last)) => {
            let (switch, lost) = Interrupt::pair();
            let pulse = Pulse::heard(asked);
            let beating = tokio::spawn(beat(session.clone(), signs.clone(), words, pulse.clone(), switch));
            Ok(Wish::Granted(Lock { lost, pulse, signs, beating, holding }, known(&last)))
        }
        Some((false, holder)) => Ok(Wish::Refused(known(&holder))),
        None => {
            let (why, output) = match timeout(LEAVING, holding).await {
                Ok(Ok((Err(error), _))) => return Err(failure::of_host(&error, Some("lock"))),
                Ok(Ok((Ok(exit), complaint))) => (exit.to_string(), complaint),
                Ok(Err(_)) | Err(_) => ("no answer in time".to_owned(), Vec::new()),
            };
            Err(Failure { output, ..failure::of_step("lock", &format!("the host could not be locked: {why}")) })
        }
    }
}

impl Lock {
    /// Leaves the holder's name with it, for whoever comes while it is held, or while what was begun under it still runs.
    pub async fn sign(&self) {
        // Where nobody takes it the lock is lost, and that is told.
        let _ = self.signs.send(Bytes::from_static(b"k")).await;
    }

    /// Lets go of it, and waits, shortly, for the host to have done so.
    pub async fn release(self) {
        let Self { signs, beating, holding, .. } = self;
        beating.abort();
        let _ = beating.await;
        // At the end of its input the script ends.
        drop(signs);
        let _ = timeout(LEAVING, holding).await;
    }
}

/// Gives signs of life until none is answered; then tells that the lock is lost.
async fn beat(
    session: Session,
    signs: mpsc::Sender<Bytes>,
    mut words: Words,
    pulse: Pulse,
    switch: watch::Sender<bool>,
) {
    let (mut sent, mut due) = (None, Pulse::now());
    let reason = loop {
        // Looked at again and again: no timer goes on while this machine sleeps.
        if pulse.is_doubtful() {
            break format!("no sign of life from the host for {} s", DOUBT.as_secs());
        }
        if sent.is_none() && Pulse::now() >= due {
            sent = Some(Pulse::now());
            // Where there is no room, earlier ones are still on their way.
            let _ = signs.try_send(Bytes::from_static(b"."));
        }
        tokio::select! {
            word = words.next() => match word.as_deref() {
                None => break "what held it on the host has ended".to_owned(),
                Some("beat") => if let Some(answered) = sent.take() {
                    pulse.hear(answered);
                    due = answered + BEAT;
                },
                Some(_) => {}
            },
            () = sleep(LOOK) => {}
        }
    };
    session.tell(Event::LockLost { host: session.name().to_owned(), reason });
    switch.send_replace(true);
}

/// The script that holds the lock.
pub(super) fn script(file: &str, nonce: &str, patience: Duration, holder: &Holder) -> String {
    let holder = serde_json::to_string(holder).unwrap_or_default();
    format!(
        "export LC_ALL=C PATH=\"$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n{SCRIPT}\n\
         kf_lock {} {nonce} {} {}",
        quote(file),
        patience.as_secs(),
        quote(&holder)
    )
}

/// What a host says of a holder, fit for an event; whoever wrote it may have written anything.
fn known(line: &str) -> Option<Holder> {
    let Holder { user, workstation, command, since, run } = serde_json::from_str(line).ok()?;
    let short = |text: &str| told(text).chars().take(80).collect::<String>();
    Some(Holder { user: short(&user), workstation: short(&workstation), command: short(&command), since, run })
}

/// What the script says.
struct Words {
    nonce: String,
    lines: UnboundedReceiver<String>,
}

impl Words {
    /// Its next word; `None` when it has ended.
    async fn next(&mut self) -> Option<String> {
        loop {
            let line = self.lines.recv().await?;
            if let Some(word) = line.strip_prefix(&self.nonce) {
                return Some(word.trim().to_owned());
            }
        }
    }
}

/// Cuts what comes into lines.
struct Lines {
    buffer: Vec<u8>,
    said: mpsc::UnboundedSender<String>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > LONGEST {
            return;
        }
        self.buffer.extend_from_slice(bytes);
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            // A reader that has gone has heard enough.
            let _ = self.said.send(line);
        }
    }
}
