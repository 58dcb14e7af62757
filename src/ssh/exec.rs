use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::OptionFuture;
use futures::{FutureExt, StreamExt};
use russh::ChannelMsg;
use russh::client::Msg;
use russh::{ChannelWriteHalf, Sig};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep_until, timeout_at};
use zeroize::Zeroizing;

use super::channel::Channel;
use super::session::Session;
use crate::base::printable;
use crate::host::{Exit, HostError, Input, Output, Stream};

/// How long a channel may be silent after the exit status, before and after the server has answered a ping, until it is left: a
/// child that stays behind holds it open. Without the ping a slow line or a busy server would be taken for silence.
const SILENCE: Duration = Duration::from_millis(500);
/// How much it may say after the exit status, in bytes: what is in the pipes and in the server's buffers by then is less, since
/// no more than a window is under way.
const REMAINDER: usize = 32 << 20;

/// As good as for ever.
const AGES: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How long it may take to tell something to stop.
const STOPPING: Duration = Duration::from_secs(10);

/// Something to run. It may hold secrets, so there is no Debug.
pub struct Job {
    /// For the login shell, whichever that is; where it is empty that shell reads its commands on stdin.
    pub command: String,
    /// Asked of the server before it starts.
    pub environment: Vec<(String, String)>,
    /// For its standard input.
    pub stdin: Vec<Bytes>,
    /// For its standard input after that.
    pub input: Option<Input>,
}

impl Job {
    /// A command with all of its input at hand.
    pub fn new(command: String, stdin: Vec<Bytes>) -> Self {
        Self { command, environment: Vec::new(), stdin, input: None }
    }
}

/// Runs `job` to its end; `stop` is run where that is not waited for, because time is up or the caller went away.
///
/// # Errors
/// [`HostError::Deadline`] after `allowed`, and [`HostError::Lost`] where its end was not seen.
pub async fn run(
    session: &Arc<Session>,
    job: Job,
    stop: Option<Job>,
    allowed: Option<Duration>,
    output: &mut dyn Output,
) -> Result<Exit, HostError> {
    let allowed = allowed.unwrap_or(AGES);
    let deadline = Instant::now() + allowed;
    let late = |_| HostError::Deadline { after: allowed };
    let mut channel = timeout_at(deadline, session.open()).await.map_err(late)??;
    let mut unfinished = Unfinished { session: Arc::clone(session), stop };
    let heard = read(session, &mut channel, job, deadline, output).await;
    if !matches!(heard, Some(Heard::Late)) {
        unfinished.stop = None;
    }
    match heard {
        Some(Heard::End(exit)) => Ok(exit),
        Some(Heard::Late) => Err(HostError::Deadline { after: allowed }),
        Some(Heard::Refused) => {
            Err(HostError::Lost { reason: "the server does not let this user run commands".to_owned() })
        }
        None => Err(session.lost()),
    }
}

/// Something that runs on the host; it is told to stop when this is dropped.
struct Unfinished {
    session: Arc<Session>,
    stop: Option<Job>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let session = Arc::clone(&self.session);
            // Whoever cared is gone; who closes the session waits for it.
            self.session.meanwhile(async move {
                let _ = Box::pin(run(&session, stop, None, Some(STOPPING), &mut |_, _: &[u8]| {})).await;
            });
        }
    }
}

enum Heard {
    End(Exit),
    Late,
    Refused,
}

/// Feeds a channel and reads it to its end; `None` where that came before an exit status.
async fn read(
    session: &Session,
    channel: &mut Channel,
    job: Job,
    deadline: Instant,
    output: &mut dyn Output,
) -> Option<Heard> {
    // Selected against the reader: where the other side ends with its window shut, writing never returns.
    let feeding = feed(Arc::clone(&channel.writer), job);
    tokio::pin!(feeding);
    let mut fed = false;
    let mut exit: Option<Exit> = None;
    let mut remainder = 0;
    // Asked after the exit status, when nothing comes any more, and answered since.
    let mut ping = None;
    let mut answered = false;
    loop {
        let limit = if exit.is_some() && ping.is_none() { deadline.min(Instant::now() + SILENCE) } else { deadline };
        let message = tokio::select! {
            message = channel.reader.wait() => message,
            _ = &mut feeding, if !fed => {
                // Its failure is the end of the channel, which the reader sees.
                fed = true;
                continue;
            }
            () = OptionFuture::from(ping.as_mut()).map(drop), if ping.is_some() => {
                ping = None;
                answered = true;
                continue;
            }
            () = sleep_until(limit) => match exit {
                Some(_) if !answered && limit < deadline => {
                    ping = Some(session.ping().boxed());
                    continue;
                }
                Some(exit) => return Some(Heard::End(exit)),
                None => return Some(Heard::Late),
            },
        };
        if let (Some(exit), Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. })) = (&exit, &message)
        {
            (ping, answered) = (None, false);
            remainder += data.len();
            if remainder > REMAINDER {
                return Some(Heard::End(exit.clone()));
            }
        }
        match message {
            Some(ChannelMsg::Data { data }) if !data.is_empty() => output.take(Stream::Stdout, &data),
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) if !data.is_empty() => output.take(Stream::Stderr, &data),
            Some(ChannelMsg::ExitStatus { exit_status }) => exit = Some(Exit::Status(exit_status)),
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                exit = Some(Exit::Signal(name(&signal_name)));
            }
            Some(ChannelMsg::Failure) => return Some(Heard::Refused),
            // Neither Eof nor the exit status is the end: either may come first, and output after both.
            Some(_) => {}
            None => {
                channel.closed = true;
                return exit.map(Heard::End);
            }
        }
    }
}

/// Asks for the command and sends all of its input at once: no answer is waited for in between.
async fn feed(writer: Arc<ChannelWriteHalf<Msg>>, job: Job) -> Result<(), russh::Error> {
    for (name, value) in job.environment {
        writer.set_env(false, name, value).await?;
    }
    if job.command.is_empty() {
        writer.request_shell(true).await?;
    } else {
        writer.exec(true, job.command).await?;
    }
    for piece in job.stdin {
        writer.data_bytes(piece).await?;
    }
    if let Some(mut input) = job.input {
        while let Some(piece) = input.next().await {
            writer.data_bytes(piece).await?;
        }
    }
    writer.eof().await
}

fn name(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => printable(name),
        known => format!("{known:?}"),
    }
}

/// A script as it is sent to `/bin/sh`: in braces, so that the shell reads all of it before it runs any of it.
///
/// Half a script, from a connection that broke, is then a syntax error and not half a deed; and a command that reads
/// stdin finds its end, not the rest of the script. The lines keep their numbers.
pub fn braced(script: &SecretString) -> Bytes {
    let script = script.expose_secret();
    let mut text = Zeroizing::new(Vec::with_capacity(script.len() + 8));
    text.extend_from_slice(b"{ :; ");
    text.extend_from_slice(script.as_bytes());
    text.extend_from_slice(b"\n}\n");
    Bytes::from_owner(text)
}

/// `secret` as one line of input.
pub fn line(secret: &SecretString) -> Bytes {
    let mut text = Zeroizing::new(Vec::with_capacity(secret.expose_secret().len() + 1));
    text.extend_from_slice(secret.expose_secret().as_bytes());
    text.push(b'\n');
    Bytes::from_owner(text)
}
