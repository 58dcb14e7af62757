use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use bytes::{Bytes, BytesMut};

use crate::base::spool_dir;
use crate::host::Stream;

/// What one host wrote and nobody has taken yet: a little in memory, any more in a file that has no name.
///
/// Nothing here waits for whoever takes, because a connection whose output is not taken stands still, and with it every host
/// behind the same jump host.
pub struct Spool {
    /// All of it is older than what the file holds.
    memory: VecDeque<(Stream, BytesMut)>,
    in_memory: usize,
    most_in_memory: usize,
    file: Option<File>,
    /// Of the file, in bytes: what was read back, and what was written.
    read: u64,
    written: u64,
}

impl Spool {
    /// Pieces are put together up to this size, in bytes.
    pub const PIECE: usize = 64 * 1024;
    /// A piece in the file: its stream, its length, itself.
    const HEAD: usize = 5;
    /// The file is read back this much at a time; more than a piece, so that there is a whole one in it.
    const BLOCK: usize = 4 * Self::PIECE;

    /// An empty one with about this much memory, in bytes.
    pub fn new(most_in_memory: usize) -> Self {
        Self { memory: VecDeque::new(), in_memory: 0, most_in_memory, file: None, read: 0, written: 0 }
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.in_memory == 0 && self.read == self.written
    }

    /// Adds what the host wrote.
    ///
    /// # Errors
    /// Where it has to go to the file and that cannot be made or written, as on a full disk.
    pub fn put(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(Self::PIECE) {
            if self.read == self.written && self.in_memory + piece.len() <= self.most_in_memory {
                self.remember(stream, piece);
            } else {
                self.write(stream, piece)?;
            }
        }
        Ok(())
    }

    /// The oldest piece, of one stream.
    ///
    /// # Errors
    /// Where the file cannot be read back.
    pub fn take(&mut self) -> io::Result<Option<(Stream, Bytes)>> {
        if self.memory.is_empty() && self.read < self.written {
            self.read_back()?;
        }
        Ok(self.memory.pop_front().map(|(stream, bytes)| {
            self.in_memory -= bytes.len();
            (stream, bytes.freeze())
        }))
    }

    fn remember(&mut self, stream: Stream, bytes: &[u8]) {
        self.in_memory += bytes.len();
        match self.memory.back_mut() {
            Some((last, piece)) if *last == stream && piece.len() + bytes.len() <= Self::PIECE => {
                piece.extend_from_slice(bytes);
            }
            _ => self.memory.push_back((stream, BytesMut::from(bytes))),
        }
    }

    fn write(&mut self, stream: Stream, piece: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(spool_dir())?),
        };
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        let mut record = Vec::with_capacity(Self::HEAD + piece.len());
        record.push(u8::from(stream == Stream::Stderr));
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(piece);
        file.write_all_at(&record, self.written)?;
        self.written += record.len() as u64;
        Ok(())
    }

    /// Brings the file's oldest pieces to memory.
    fn read_back(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let left = usize::try_from(self.written - self.read).unwrap_or(usize::MAX);
        let mut block = vec![0; left.min(Self::BLOCK)];
        file.read_exact_at(&mut block, self.read)?;
        let mut rest = block.as_slice();
        while let Some((stream, piece, behind)) = first_record(rest) {
            self.remember(stream, piece);
            self.read += (rest.len() - behind.len()) as u64;
            rest = behind;
        }
        if self.read == self.written
            && let Some(file) = &self.file
        {
            file.set_len(0)?;
            (self.read, self.written) = (0, 0);
        }
        Ok(())
    }
}

/// The first whole record of `block`, and what is behind it.
fn first_record(block: &[u8]) -> Option<(Stream, &[u8], &[u8])> {
    let (head, rest) = block.split_first_chunk::<{ Spool::HEAD }>()?;
    let [stream, length @ ..] = *head;
    let (piece, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(length)).ok()?)?;
    Some((if stream == 0 { Stream::Stdout } else { Stream::Stderr }, piece, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Spool;
    use crate::host::Stream::{self, Stderr, Stdout};

    fn drain(spool: &mut Spool, seen: &mut Vec<(Stream, u8)>, most: usize) {
        for _ in 0..most {
            let Some((stream, bytes)) = spool.take().unwrap() else { return };
            assert!(bytes.len() <= Spool::PIECE);
            seen.extend(bytes.iter().map(|byte| (stream, *byte)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_was_put_is_taken_in_order(puts in proptest::collection::vec((any::<bool>(), 1..100_000_usize, 0..4_usize), 1..40)) {
            let mut spool = Spool::new(100_000);
            let (mut put, mut seen) = (Vec::new(), Vec::new());
            for (index, (stream, length, takes)) in puts.into_iter().enumerate() {
                let stream = if stream { Stdout } else { Stderr };
                let bytes: Vec<u8> = (0..length).map(|at| (at + index) as u8).collect();
                spool.put(stream, &bytes).unwrap();
                prop_assert!(spool.in_memory <= 100_000 + Spool::BLOCK);
                put.extend(bytes.iter().map(|byte| (stream, *byte)));
                drain(&mut spool, &mut seen, takes);
            }
            drain(&mut spool, &mut seen, usize::MAX);
            prop_assert!(spool.is_empty());
            prop_assert!(put == seen);
        }
    }

    #[test]
    fn many_small_pieces_become_few() {
        let mut spool = Spool::new(1_000);
        for _ in 0..10_000 {
            spool.put(Stdout, b"0123456789").unwrap();
        }
        let mut pieces = 0;
        let mut length = 0;
        while let Some((_, bytes)) = spool.take().unwrap() {
            pieces += 1;
            length += bytes.len();
        }
        assert_eq!(length, 100_000);
        assert!(pieces < 10, "{pieces}");
    }
}
