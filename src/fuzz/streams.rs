use std::fs;

use crate::engine::{Frames, Line};
use crate::host::{Output, Stream};
use crate::transfer::{fetched_paths, scp::Received};

/// What a script of actions answers: however the stream is cut, it says the same, and no line grows without end.
pub fn action_frames(data: &[u8]) {
    let (size, data) = data.split_first().map_or((1, data), |(first, rest)| (usize::from(*first) + 1, rest));
    let whole = lines(&[data]);
    for line in &whole {
        if let Line::Text(text) | Line::Stderr(text) = line {
            assert!(!text.is_empty() && text.len() <= 3 * (64 * 1024 + 1), "a line of {} bytes", text.len());
        }
    }
    assert_eq!(lines(&data.chunks(size).collect::<Vec<_>>()), whole, "in pieces of {size}");
}

fn lines(pieces: &[&[u8]]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut frames = Frames::new("n0nce", |line| lines.push(line));
    pieces.iter().for_each(|piece| frames.take(Stream::Stdout, piece));
    frames.finish();
    lines
}

/// What a host says it has, before files are fetched: whatever is believed lies below where it goes.
pub fn fetched(data: &[u8]) {
    for is_tree in [false, true] {
        let Ok(paths) = fetched_paths(data, "m4rk", is_tree) else { continue };
        assert!(!paths.is_empty());
        for path in paths {
            let mut parts = path.split(|byte| *byte == b'/');
            assert!(path.is_empty() || parts.all(|part| !matches!(part, b"" | b"." | b"..")), "{path:?}");
        }
    }
}

/// Files as `scp` is sent them: nothing is written but where they are to go.
pub fn scp_stream(data: &[u8]) {
    let Ok(room) = tempfile::tempdir() else { return };
    let into = room.path().join("into");
    let mut received = Received::new("m4rk", &into);
    let (first, rest) = data.split_at(data.len() / 2);
    received.take(first);
    received.take(rest);
    let complaints = received.end();
    complaints.iter().for_each(|complaint| super::claims::has_printable_lines(complaint));
    let beside = fs::read_dir(room.path()).into_iter().flatten().flatten().find(|entry| entry.path() != into);
    assert!(beside.is_none(), "{beside:?} lies beside the destination");
}
