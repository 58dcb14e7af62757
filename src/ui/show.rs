use std::io::{self, Write};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval};

use crate::events::Event;

use super::Look;
use super::bars::Bars;
use super::face::Face;
use super::json::Json;
use super::plain::Plain;

/// Live lines are redrawn this often at most, however many events come.
const REDRAW: Duration = Duration::from_millis(100);

/// Shows a run from its first event to the last: returns when every sink has been dropped and all is written.
///
/// Results go to `out`, progress, problems and failures to `err`; live lines go to the terminal behind stderr. While
/// a question is open nothing moves, and the cursor stands behind it. A reader that has gone away (`| head`) is no error: the run goes on unseen.
///
/// # Errors
/// When `out` or `err` cannot be written to for another reason, such as a full disk.
pub async fn show(
    mut events: UnboundedReceiver<Event>,
    look: Look,
    mut out: impl Write + Send,
    mut err: impl Write + Send,
) -> io::Result<()> {
    let mut face: Box<dyn Face + '_> = if look.json {
        Box::new(Json::new(look, &mut out, jiff::Timestamp::now))
    } else if look.is_live() {
        Box::new(Bars::on_stderr(look, &mut out, &mut err))
    } else {
        Box::new(Plain::new(look, &mut out, &mut err))
    };
    let mut redraw = interval(REDRAW);
    redraw.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => unless_nobody_reads(face.show(&event))?,
                None => return unless_nobody_reads(face.end()),
            },
            _ = redraw.tick(), if face.is_live() => unless_nobody_reads(face.tick())?,
        }
    }
}

fn unless_nobody_reads(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
