use std::collections::VecDeque;

/// The last lines of a stream of any length, in bounded memory.
#[derive(Debug, Clone)]
pub struct Tail {
    lines: VecDeque<String>,
    keep: usize,
}

impl Tail {
    /// Longer lines than this are cut, in characters.
    const LINE: usize = 1_000;

    /// Keeps the last `keep` lines.
    #[must_use]
    pub fn of(keep: usize) -> Self {
        Self { lines: VecDeque::with_capacity(keep), keep }
    }

    /// Adds a line, which may cost the oldest its place.
    pub fn push(&mut self, line: &str) {
        if self.lines.len() == self.keep {
            self.lines.pop_front();
        }
        self.lines.push_back(line.chars().take(Self::LINE).collect());
    }

    /// The lines kept, oldest first.
    #[must_use]
    pub fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}

#[cfg(test)]
mod tests {
    use super::Tail;

    #[test]
    fn only_the_last_lines_stay() {
        let mut tail = Tail::of(2);
        for line in ["one", "two", "three"] {
            tail.push(line);
        }
        assert_eq!(tail.into_lines(), ["two", "three"]);
    }
}
