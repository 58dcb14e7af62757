use crate::base::told;

use super::FactsError;

/// A probe's answers, in the order in which they came.
#[derive(Debug)]
pub(super) struct Frames<'a> {
    frames: Vec<Frame<'a>>,
}

/// One answer: what was asked, how that went, and the bytes that came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    subject: &'a str,
    item: &'a str,
    /// An exit status of a command, a word for everything else.
    pub(super) status: &'a str,
    pub(super) body: &'a [u8],
}

impl<'a> Frames<'a> {
    /// Splits `output` at the lines that begin with `nonce`. What comes before the first is the login shell's noise.
    pub(super) fn split(output: &'a [u8], nonce: &str) -> Result<Self, FactsError> {
        let marker = format!("\n{nonce} ").into_bytes();
        let mut starts = positions(output, &marker);
        let Some(mut start) = starts.next() else { return Err(not_run(output)) };
        let mut frames = Vec::new();
        loop {
            let next = starts.next();
            let frame = &output[start + marker.len()..next.unwrap_or(output.len())];
            frames.extend(Frame::read(frame));
            match next {
                Some(next) => start = next,
                None => break,
            }
        }
        match frames.last() {
            Some(Frame { subject: "probe", status: "end", .. }) => Ok(Self { frames }),
            Some(Frame { subject: "aborted", .. }) => Err(FactsError::NoPlace),
            Some(last) => Err(FactsError::Truncated { last: told(&format!("{} {}", last.subject, last.item)) }),
            None => Err(FactsError::Truncated { last: "its first line".to_owned() }),
        }
    }

    /// Every answer about `subject`, by item.
    pub(super) fn of(&self, subject: &str) -> impl Iterator<Item = (&'a str, Frame<'a>)> {
        self.frames.iter().filter(move |frame| frame.subject == subject).map(|frame| (frame.item, *frame))
    }

    /// The answer about one item.
    pub(super) fn one(&self, subject: &str, item: &str) -> Option<Frame<'a>> {
        self.of(subject).find(|(name, _)| *name == item).map(|(_, frame)| frame)
    }

    /// What a command printed, where it was there and succeeded.
    pub(super) fn said(&self, command: &str) -> Option<String> {
        self.one("said", command).filter(|frame| frame.status == "0").map(|frame| frame.text())
    }

    /// What a command printed however it ended, empty where it was not there.
    pub(super) fn anything_said(&self, command: &str) -> String {
        self.one("said", command).map(|frame| frame.text()).unwrap_or_default()
    }

    /// The first line of what a command complained of, fit to be shown; `None` where it did not fail.
    pub(super) fn complaint(&self, command: &str) -> Option<String> {
        let frame = self.one("erred", command)?;
        let text = frame.text();
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        Some(match (line, frame.status) {
            (Some(line), _) => told(line),
            // `timeout` ends a command without a word.
            (None, "124" | "143") => "no answer in time".to_owned(),
            (None, status) => format!("exit status {}", told(status)),
        })
    }
}

impl<'a> Frame<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let header = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut words = header.trim_end_matches('\r').split(' ');
        let (subject, item, status) = (words.next()?, words.next()?, words.next()?);
        words.next().is_none().then_some(Self { subject, item, status, body: &bytes[end + 1..] })
    }

    /// The bytes as text; what is not UTF-8 shows as U+FFFD.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(self.body).into_owned()
    }
}

/// A name that may hold anything as one word of a header.
pub(super) fn encode(name: &str) -> String {
    let mut word = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            word.push(char::from(byte));
        } else {
            word.push_str(&format!("%{byte:02x}"));
        }
    }
    word
}

/// What [`encode`] made a word of.
pub(super) fn decode(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((plain, coded)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        match coded.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &coded[2..];
            }
            None => {
                bytes.push(b'%');
                rest = coded;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn positions<'a>(haystack: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    haystack.windows(needle.len()).enumerate().filter(move |(_, window)| *window == needle).map(|(at, _)| at)
}

fn not_run(output: &[u8]) -> FactsError {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    FactsError::NotRun(told(line).chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Frames, decode, encode};
    use crate::facts::FactsError;

    #[test]
    fn a_frame_carries_its_bytes_as_they_are() {
        let output = b"motd\n\nn0 said a 0\n line \n\n\nn0 said b 1\nno line end\nn0 said c 0\n\nn0 probe - end\n";
        let frames = Frames::split(output, "n0").unwrap();
        assert_eq!(frames.said("a").as_deref(), Some(" line \n\n"));
        assert_eq!(frames.said("b"), None, "it failed");
        assert_eq!(frames.anything_said("b"), "no line end");
        assert_eq!(frames.said("c").as_deref(), Some(""));
        assert_eq!(frames.said("d"), None, "it was not there");
    }

    #[test]
    fn what_is_no_whole_answer_says_how_far_it_came() {
        for (output, error) in [
            ("", FactsError::NotRun(String::new())),
            (
                "\n\x1b[1mThis account is not available.\n",
                FactsError::NotRun("[1mThis account is not available.".into()),
            ),
            ("\nn0 said kernel 0\n6.1.0", FactsError::Truncated { last: "said kernel".into() }),
            ("\nn0 said kernel 0\n6.1.0\nn0 sa", FactsError::Truncated { last: "said kernel".into() }),
            ("\nn0 sa", FactsError::Truncated { last: "its first line".into() }),
            ("\nn0 aborted - no-place\n", FactsError::NoPlace),
        ] {
            assert_eq!(Frames::split(output.as_bytes(), "n0").unwrap_err(), error, "{output:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_one_word_and_comes_back(name in any::<String>()) {
            let word = encode(&name);
            prop_assert!(word.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(decode(&word), name);
        }
    }
}
