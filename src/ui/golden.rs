//! Each face, shown the same scripted runs, against what a person has read and found good.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};
use insta::assert_snapshot;
use jiff::Timestamp;

use crate::events::{self, Event, Reply};

use super::bars::Bars;
use super::face::Face;
use super::json::Json;
use super::screen::{Screen, Size};
use super::{Look, scripted, show};

const PLAIN: Look = Look { json: false, verbose: false, terminal: false, colour: false, width: None };
const LIVE: Look = Look { json: false, verbose: false, terminal: true, colour: true, width: Some(80) };

/// What `show` writes to stderr and stdout.
async fn shown(events: &[Event], look: Look) -> String {
    let (sink, receiver) = events::channel();
    for event in events {
        sink.tell(event.clone());
    }
    drop(sink);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    show(receiver, look, &mut out, &mut err).await.unwrap();
    let [out, err] = [out, err].map(|bytes| String::from_utf8(bytes).unwrap());
    format!("{err}--- stdout ---\n{out}")
}

#[tokio::test]
async fn plain_lines_tell_a_run_from_top_to_bottom() {
    assert_snapshot!("plain-up", shown(&scripted::up(), PLAIN).await);
    assert_snapshot!("plain-up-verbose", shown(&scripted::up(), Look { verbose: true, ..PLAIN }).await);
    assert_snapshot!("plain-plan", shown(&scripted::plan(), PLAIN).await);
    assert_snapshot!("plain-again", shown(&scripted::again(), PLAIN).await);
    assert_snapshot!("plain-worker-down", shown(&scripted::worker_down(), PLAIN).await);
    assert_snapshot!("plain-init-fails", shown(&scripted::init_fails(), PLAIN).await);
    assert_snapshot!("plain-problems", shown(&scripted::problems(), PLAIN).await);
    assert_snapshot!("plain-copy", shown(&scripted::copy(), PLAIN).await);
    assert_snapshot!("plain-asked", shown(&scripted::asked(Reply::No), PLAIN).await);
    assert_snapshot!("plain-locks", shown(&scripted::locks(), PLAIN).await);
    assert_snapshot!("plain-interrupt", shown(&scripted::interrupt(), PLAIN).await);
}

#[tokio::test]
async fn prose_and_tables_fit_the_terminal() {
    let narrow = Look { width: Some(64), ..PLAIN };
    assert_snapshot!("narrow-init-fails", shown(&scripted::init_fails(), narrow).await);
    assert_snapshot!("narrow-problems", shown(&scripted::problems(), narrow).await);
}

#[tokio::test]
async fn events_that_end_early_lose_nothing_that_was_told() {
    let mut events = scripted::problems();
    events.truncate(6);
    events.push(Event::FileSaved { what: "kubeconfig".into(), path: "/home/ops/admin.conf".into() });
    let shown = shown(&events, PLAIN).await;
    assert!(shown.contains("preflight: "), "{shown}");
    assert!(shown.ends_with("kubeconfig: /home/ops/admin.conf\n"), "{shown}");
}

#[test]
fn json_has_the_names_that_programs_read() {
    let stamp = || Timestamp::from_millisecond(1_700_000_000_120).unwrap();
    let mut out = Vec::new();
    let mut json = Json::new(PLAIN, &mut out, stamp);
    for event in scripted::one_of_each() {
        json.show(&event).unwrap();
    }
    assert_snapshot!("json", String::from_utf8(out).unwrap());
}

#[tokio::test]
async fn no_face_lets_a_host_speak_to_the_terminal() {
    let hostile = scripted::hostile();
    for look in [PLAIN, Look { verbose: true, ..PLAIN }, Look { json: true, verbose: true, ..PLAIN }] {
        let shown = shown(&hostile, look).await;
        let spoken = shown.chars().find(|&c| (c.is_control() && c != '\n') || c == '\u{202e}');
        assert_eq!(spoken, None, "{look:?}: {shown:?}");
        assert!(shown.contains("owned"), "{look:?} dropped the text with the control characters");
    }
    let term = InMemoryTerm::new(40, 120);
    let (screen, _) = bars(&hostile, Look { verbose: true, ..LIVE }, &term);
    // Had one sequence come through, it would have cleared the screen or set the title: the text would not be on it.
    assert!(screen.contains("]0;owned"), "{screen}");
    assert!(!term.moves_since_last_check().contains("\\u{1b}]0"), "{screen}");
}

/// The screen after these events and one tick, what was written behind it, and the screen after the end.
fn bars(events: &[Event], look: Look, term: &InMemoryTerm) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let size = {
        let term = term.clone();
        move || Size { rows: term.height(), columns: term.width() }
    };
    let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
    let mut bars = Bars::new(look, (&mut out, &mut err), target, Box::new(size));
    for event in events {
        bars.show(event).unwrap();
    }
    bars.tick().unwrap();
    // On a busy machine it may have turned.
    let during = term.contents().replace(|c| matches!(c, '\u{2800}'..='\u{28ff}'), "⠋");
    bars.end().unwrap();
    drop(bars);
    let during =
        if err.is_empty() { during } else { format!("{during}\n--- stderr ---\n{}", String::from_utf8(err).unwrap()) };
    (during, format!("{}\n--- stdout ---\n{}", term.contents(), String::from_utf8(out).unwrap()))
}

fn screen(events: &[Event], look: Look) -> (String, String) {
    bars(events, look, &InMemoryTerm::new(24, 80))
}

#[test]
fn bars_live_while_it_runs_and_leave_what_matters() {
    let up = scripted::up();
    let init_under_way = up.iter().position(|event| matches!(event, Event::StepProgressed { .. })).unwrap() + 1;
    assert_snapshot!("bars-during-init", screen(&up[..init_under_way], LIVE).0);
    assert_snapshot!("bars-during-init-verbose", screen(&up[..init_under_way], Look { verbose: true, ..LIVE }).0);
    assert_snapshot!("bars-up", screen(&up, LIVE).1);
    assert_snapshot!("bars-init-fails", screen(&scripted::init_fails(), LIVE).1);
    let interrupt = scripted::interrupt();
    assert_snapshot!("bars-interrupt", screen(&interrupt[..interrupt.len() - 1], LIVE).0);
}

#[test]
fn a_transfer_shows_how_far_it_is() {
    let copy = scripted::copy();
    assert_snapshot!("bars-copy", screen(&copy, LIVE).1);
    let start = Instant::now();
    let mut screen = Screen::default();
    for (event, seconds) in copy[..5].iter().zip([0, 1, 1, 1, 3]) {
        screen.take(event, start + Duration::from_secs(seconds));
    }
    let frame = screen.frame(start + Duration::from_secs(3), Size { rows: 24, columns: 80 });
    assert_eq!(console::strip_ansi_codes(&frame[0]), "⠋ h1     0:02  copy:  25 % of 200 MB, 25 MB/s, 6.0 s left");
}

#[test]
fn a_question_has_the_terminal_to_itself_until_it_is_answered() {
    let asked = scripted::asked(Reply::Yes);
    let open = asked.iter().position(|event| matches!(event, Event::ApprovalAsked { .. })).unwrap() + 1;
    assert_snapshot!("bars-asked", screen(&asked[..open], LIVE).0);
    assert_snapshot!("bars-approved", screen(&asked[..=open], LIVE).0);
    let (during, _) = screen(&scripted::asked(Reply::None)[..=open], LIVE);
    assert!(during.ends_with("Apply? [y/N] \n"), "the line of the question is ended: {during}");
}

#[test]
fn two_hundred_hosts_are_a_screenful() {
    assert_snapshot!("bars-200", screen(&scripted::two_hundred(), LIVE).0);
}

#[test]
fn a_burst_of_events_is_one_redraw() {
    let term = InMemoryTerm::new(24, 80);
    bars(&scripted::two_hundred(), LIVE, &term);
    let moves = term.moves_since_last_check();
    let redraws = moves.lines().filter(|line| *line == "Flush").count();
    // One with the lines that stay, one with the live ones, one to clear at the end.
    assert!(redraws <= 4, "{redraws} redraws for 1,000 events");
}

#[test]
fn a_line_is_kept_until_its_host_is_done_or_idle() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let names = |frame: Vec<String>| -> Vec<String> {
        let host = |line: &String| line.split_whitespace().nth(1).unwrap().to_owned();
        frame.iter().filter(|line| line.contains(":0") && !line.contains("finished")).map(host).collect()
    };
    let size = Size { rows: 8, columns: 80 };
    let step = |host: &str| Event::StepStarted { host: host.into(), step: "kernel".into() };
    let hosts = ["h1", "h2", "h3", "h4"].map(str::to_owned).to_vec();
    let mut screen = Screen::default();
    screen.take(&Event::RunStarted { command: "up".into(), cluster: "lab".into(), hosts }, at(0));
    assert_eq!(names(screen.frame(at(0), size)), ["h1", "h2"]);

    screen.take(&step("h2"), at(1));
    screen.take(&step("h3"), at(1));
    screen.take(&Event::FactsGathered { host: "h1".into(), took: Duration::ZERO }, at(1));
    assert_eq!(names(screen.frame(at(1), size)), ["h1", "h2"], "idle for a moment is no reason to jump");
    assert_eq!(names(screen.frame(at(3), size)), ["h4", "h2"], "who works the longest takes the line of who waits");

    screen.take(&Event::HostFinished { host: "h2".into(), tally: events::Tally::default() }, at(4));
    assert_eq!(names(screen.frame(at(4), size)), ["h4", "h3"]);
}

#[tokio::test]
async fn only_a_reader_that_went_away_is_forgiven() {
    struct Full(io::ErrorKind, Arc<AtomicUsize>);
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for (kind, fine) in [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)] {
        let (sink, receiver) = events::channel();
        scripted::again().into_iter().for_each(|event| sink.tell(event));
        drop(sink);
        let tried = Arc::new(AtomicUsize::new(0));
        let shown = show(receiver, PLAIN, Vec::new(), Full(kind, Arc::clone(&tried))).await;
        assert_eq!(shown.is_ok(), fine, "{kind:?}");
        assert!(tried.load(Ordering::Relaxed) > 0);
    }
}
