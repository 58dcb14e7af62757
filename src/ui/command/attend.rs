use std::io::{self, Write};

use super::face::Face;
use super::gathered::Gathered;
use super::json::Json;
use super::lines::Lines;
use super::sheet::Sheet;
use super::{Files, Manner, Shape};
use crate::fanout::{Ended, Telling, Told};
use crate::host::Exit;

/// Shows a command on the hosts of these names from its first word to its last, and gives how each host ended, in their order.
///
/// Writing blocks: it is for a thread that nothing else waits for.
///
/// # Errors
/// When something cannot be shown or kept; the rest is not shown then. `BrokenPipe`: nobody reads stdout any more.
pub async fn attend(
    telling: &mut Telling,
    names: &[String],
    manner: Manner,
    files: &Files,
    mut out: impl Write + Send,
    mut err: impl Write + Send,
) -> io::Result<Vec<Ended<Exit>>> {
    let mut face: Box<dyn Face + Send + '_> = match manner.shape {
        Shape::Json => Box::new(Json::new(names, &mut out, jiff::Timestamp::now)),
        shape => {
            let (out, err) = (Sheet::new(&mut out, manner.out), Sheet::new(&mut err, manner.err).aside());
            match shape {
                Shape::Lines { prefix } => Box::new(Lines::new(names, prefix, out, err)),
                shape => Box::new(Gathered::new(names, shape == Shape::Differences, out, err)),
            }
        }
    };
    let mut ends = Vec::new();
    while let Some(told) = telling.next().await {
        match told {
            Told::Output { host, stream, bytes } => {
                if !files.take(host, stream, &bytes)? {
                    face.wrote(host, stream, &bytes)?;
                }
            }
            Told::Ended(ended) => {
                face.ended(&ended)?;
                ends.push(ended);
            }
        }
    }
    ends.sort_by_key(|ended| ended.host);
    face.end(&ends)?;
    Ok(ends)
}
