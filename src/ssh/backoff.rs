use std::time::Duration;

/// Pauses between attempts at what a busy server refuses, each longer than the last, and none as long as another host's.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    const MOST: u32 = 12;
    const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_millis(1600);

    /// The next pause; `None` when it was tried often enough.
    pub fn next(&mut self) -> Option<Duration> {
        if self.attempts == Self::MOST {
            return None;
        }
        let pause = (Self::SHORTEST * 2_u32.pow(self.attempts)).min(Self::LONGEST);
        self.attempts += 1;
        let mut byte = [128];
        // Without a random number all come back at once, which is no worse than before.
        let _ = getrandom::fill(&mut byte);
        Some(pause / 2 + pause * u32::from(byte[0]) / 256)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn pauses_grow_and_end() {
        let mut backoff = Backoff::default();
        let pauses: Vec<Duration> = std::iter::from_fn(|| backoff.next()).collect();
        assert_eq!(pauses.len(), 12);
        for (at, pause) in pauses.iter().enumerate() {
            let middle = (100 * 2_u64.pow(at as u32)).min(1600);
            let range = Duration::from_millis(middle / 2)..=Duration::from_millis(middle * 3 / 2);
            assert!(range.contains(pause), "{pauses:?}");
        }
    }
}
