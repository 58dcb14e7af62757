use thiserror::Error;

/// The part of a file that kfleet owns, between two marker lines; every other byte belongs to somebody else.
#[derive(Debug, Clone, Copy)]
pub struct ManagedBlock<'a> {
    begin: &'a str,
    end: &'a str,
}

/// A file whose markers cannot be trusted to enclose what kfleet wrote.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ManagedBlockError {
    /// A begin without an end, an end without a begin, or more than one of them.
    #[error("line {line} has a kfleet marker without its other half")]
    Unpaired {
        /// Counted from 1.
        line: usize,
    },
}

impl<'a> ManagedBlock<'a> {
    /// A block between these two lines, given without their line ends.
    #[must_use]
    pub const fn between(begin: &'a str, end: &'a str) -> Self {
        Self { begin, end }
    }

    /// `file` with `body` as the block's lines, every byte outside of it kept; where there was no block it comes last.
    ///
    /// # Errors
    /// When the markers in `file` are not one pair.
    pub fn set(&self, file: &str, body: &str) -> Result<String, ManagedBlockError> {
        let newline = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
        let block = format!("{}\n{body}{newline}{}\n", self.begin, self.end);
        Ok(match self.find(file)? {
            Some((start, stop)) => {
                // A file that ended right behind the end marker gains the line end it lacked.
                format!("{}{block}{}", &file[..start], &file[stop..])
            }
            None if file.is_empty() || file.ends_with('\n') => format!("{file}{block}"),
            None => format!("{file}\n{block}"),
        })
    }

    /// `file` with the block gone.
    ///
    /// # Errors
    /// When the markers in `file` are not one pair.
    pub fn remove(&self, file: &str) -> Result<String, ManagedBlockError> {
        Ok(match self.find(file)? {
            Some((start, stop)) => format!("{}{}", &file[..start], &file[stop..]),
            None => file.to_owned(),
        })
    }

    /// Where the block lies in bytes, markers and their line ends included.
    fn find(&self, file: &str) -> Result<Option<(usize, usize)>, ManagedBlockError> {
        let mut at = 0;
        let mut begin: Option<(usize, usize)> = None;
        let mut found = None;
        for (index, line) in file.split_inclusive('\n').enumerate() {
            let unpaired = ManagedBlockError::Unpaired { line: index + 1 };
            let text = line.trim_end();
            if text == self.begin {
                if begin.is_some() || found.is_some() {
                    return Err(unpaired);
                }
                begin = Some((at, index + 1));
            } else if text == self.end {
                let Some((start, _)) = begin.take() else { return Err(unpaired) };
                found = Some((start, at + line.len()));
            }
            at += line.len();
        }
        match begin {
            Some((_, line)) => Err(ManagedBlockError::Unpaired { line }),
            None => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ManagedBlock, ManagedBlockError};

    const BLOCK: ManagedBlock<'_> = ManagedBlock::between("# BEGIN", "# END");

    #[test]
    fn a_new_block_comes_last_and_is_found_again() {
        let once = BLOCK.set("127.0.0.1 localhost", "a\n").unwrap();
        assert_eq!(once, "127.0.0.1 localhost\n# BEGIN\na\n# END\n");
        assert_eq!(BLOCK.set(&once, "b").unwrap(), "127.0.0.1 localhost\n# BEGIN\nb\n# END\n");
    }

    #[test]
    fn half_a_block_is_an_error_with_its_line() {
        for (file, line) in [("x\n# BEGIN\na\n", 2), ("# END\n", 1), ("# BEGIN\n# BEGIN\n# END\n", 2)] {
            assert_eq!(BLOCK.set(file, ""), Err(ManagedBlockError::Unpaired { line }), "{file:?}");
        }
    }

    proptest! {
        #[test]
        fn what_others_wrote_is_kept_byte_for_byte(before in "[a-z \t\r\n]*", after in "[a-z \t\r\n]*", body in "[a-z\n]*") {
            let before = if before.is_empty() || before.ends_with('\n') { before } else { before + "\n" };
            let file = format!("{before}# BEGIN\nold\n# END\n{after}");
            let set = BLOCK.set(&file, &body).unwrap();
            prop_assert!(set.starts_with(&before) && set.ends_with(&after));
            prop_assert_eq!(BLOCK.remove(&set).unwrap(), before + &after);
            prop_assert_eq!(BLOCK.set(&set, &body).unwrap(), set);
        }
    }
}
