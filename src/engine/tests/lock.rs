//! The lock as a run sees it, over a host that follows the script's protocol.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use secrecy::ExposeSecret;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::engine::lock::{Wish, wish};
use crate::engine::pulse::Pulse;
use crate::engine::session::Session;
use crate::events::{Event, Holder, channel};
use crate::host::{Connect, Exit, Host, HostError, Output, Program, Request, Stream};

/// Answers the wish with this, and goes on until it is ended.
#[derive(Clone)]
struct LockHost {
    answer: &'static str,
    end: Arc<Notify>,
}

#[async_trait]
impl Connect for LockHost {
    fn name(&self) -> &str {
        "h1"
    }

    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Host for LockHost {
    fn name(&self) -> &str {
        "h1"
    }

    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        let Program::Script { text, .. } = &request.program else { panic!("a script") };
        let call = text.expose_secret().rsplit_once("kf_lock ").unwrap().1;
        let nonce = call.split(' ').nth(1).unwrap().to_owned();
        if self.answer.is_empty() {
            output.take(Stream::Stderr, b"mkdir: /run/kfleet: File exists\n");
            return Ok(Exit::Status(1));
        }
        output.take(Stream::Stdout, format!("\n{nonce} {}\n", self.answer).as_bytes());
        if !self.answer.starts_with("free") {
            return Ok(Exit::Status(0));
        }
        let mut input = request.input.unwrap();
        loop {
            tokio::select! {
                sign = input.next() => match sign {
                    Some(_) => output.take(Stream::Stdout, format!("\n{nonce} beat\n").as_bytes()),
                    None => return Ok(Exit::Status(0)),
                },
                () = self.end.notified() => return Err(HostError::Lost { reason: "gone".to_owned() }),
            }
        }
    }

    async fn close(&self) {}
}

fn holder(user: &str) -> Holder {
    let since = "2026-01-02T03:04:05Z".parse().unwrap();
    Holder { user: user.into(), workstation: "desk".into(), command: "up".into(), since, run: None }
}

const HELD: &str = r#"refused
{"user":"an\u001b[2Jn","workstation":"desk","command":"up","since":"2026-01-02T03:04:05Z","run":3}"#;

#[tokio::test]
async fn a_lock_is_held_until_it_is_let_go_and_its_loss_is_told() {
    let (events, mut told) = channel();
    let session = |answer, end: &Arc<Notify>| {
        let host = Arc::new(LockHost { answer, end: Arc::clone(end) });
        Session::new(Arc::clone(&host) as Arc<dyn Host>, host, Arc::new(Semaphore::new(1)), Arc::clone(&events))
    };
    let end = Arc::new(Notify::new());
    let Ok(Wish::Refused(Some(by))) = wish(&session(HELD, &end), &holder("bob")).await else { panic!("granted") };
    assert_eq!((by.user.as_str(), by.run), ("an[2Jn", Some(3)), "remote text, made harmless");
    let Ok(Wish::Refused(None)) = wish(&session("refused\nnonsense", &end), &holder("bob")).await else { panic!() };

    let Err(failure) = wish(&session("", &end), &holder("bob")).await else { panic!("no failure") };
    assert_eq!(failure.reason, "the host could not be locked: exit status 1");
    assert_eq!(failure.output, ["mkdir: /run/kfleet: File exists"]);

    let Ok(Wish::Granted(lock, None)) = wish(&session("free\n", &end), &holder("bob")).await else { panic!() };
    lock.sign().await;
    assert!(!lock.lost.is_set());
    timeout(Duration::from_secs(3), lock.release()).await.unwrap();
    assert!(told.try_recv().is_err(), "who lets go loses nothing");

    let Ok(Wish::Granted(lock, _)) = wish(&session("free\n", &end), &holder("bob")).await else { panic!() };
    tokio::task::yield_now().await;
    end.notify_waiters();
    end.notify_one();
    timeout(Duration::from_secs(3), lock.lost.wait()).await.unwrap();
    assert!(matches!(told.try_recv(), Ok(Event::LockLost { .. })));
}

#[tokio::test]
async fn who_has_slept_for_long_has_lost_the_lock_though_its_host_answers() {
    let (events, mut told) = channel();
    let host = Arc::new(LockHost { answer: "free\n", end: Arc::default() });
    let session = Session::new(Arc::clone(&host) as Arc<dyn Host>, host, Arc::new(Semaphore::new(1)), events);
    let Ok(Wish::Granted(lock, _)) = wish(&session, &holder("bob")).await else { panic!("refused") };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!lock.pulse.is_doubtful());
    lock.pulse.hear(Pulse::now().saturating_sub(Duration::from_secs(31)));
    assert!(lock.pulse.is_doubtful());
    timeout(Duration::from_secs(3), lock.lost.wait()).await.unwrap();
    assert!(matches!(told.try_recv(), Ok(Event::LockLost { .. })));
}
