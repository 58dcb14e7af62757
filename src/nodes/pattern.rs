use std::ops::Range;

/// Names that differ in numbers only, as `node[01-20]` or `dc[1-2]n[2-6/2,9]`.
///
/// A range whose first number has leading zeros keeps that width: `[08-10]` is 08, 09, 10. Digits beside a bracket belong to
/// its numbers: `n1[9-10]` is n19, n110.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Numbers(Vec<Numbers>),
}

/// Every `step`th number from `first` up to `last`, at least `width` digits wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbers {
    first: u64,
    last: u64,
    step: u64,
    width: usize,
}

/// Why a text is not a node set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSetError {
    /// What is wrong.
    pub message: String,
    /// Which bytes of the text are wrong.
    pub at: Range<usize>,
}

impl NodeSetError {
    pub(super) fn new(message: impl Into<String>, at: Range<usize>) -> Self {
        Self { message: message.into(), at }
    }
}

/// More digits than these do not fit a number, and no host is counted so far.
const DIGITS: usize = 18;
/// A DNS name has no more bytes; it bounds what an expansion can take.
const LONGEST: usize = 253;

impl Pattern {
    /// Reads the bytes `at` of `text`, which brackets were found to be paired in.
    pub(super) fn parse(text: &str, at: Range<usize>) -> Result<Self, NodeSetError> {
        if at.is_empty() {
            let before = text[..at.start].char_indices().next_back().map_or(0, |(before, _)| before);
            return Err(NodeSetError::new("a name is missing here", before..at.end));
        }
        let mut parts = Vec::new();
        let mut next = at.start;
        while next < at.end {
            let rest = &text[next..at.end];
            next = match rest.strip_prefix('[') {
                Some(inside) => {
                    let close = next + 1 + inside.find(']').unwrap_or(inside.len());
                    parts.push(Part::Numbers(parse_brackets(text, next + 1..close)?));
                    close + 1
                }
                None => {
                    let stop = next + rest.find('[').unwrap_or(rest.len());
                    parts.push(Part::Text(text[next..stop].to_owned()));
                    stop
                }
            };
        }
        let pattern = Self { parts };
        if pattern.longest() > LONGEST {
            return Err(NodeSetError::new(format!("a name of more than {LONGEST} bytes"), at));
        }
        Ok(pattern)
    }

    /// How many names these are, or a number that no machine has room for.
    pub(super) fn count(&self) -> u64 {
        self.parts.iter().fold(1_u64, |count, part| match part {
            Part::Text(_) => count,
            Part::Numbers(numbers) => {
                count.saturating_mul(numbers.iter().map(Numbers::count).fold(0, u64::saturating_add))
            }
        })
    }

    /// Its names in order, the last bracket counting fastest and repetitions kept; `None` where there are more than `most`.
    pub(super) fn expand(&self, most: usize) -> Option<Vec<String>> {
        if self.count() > most as u64 {
            return None;
        }
        let mut names = vec![String::new()];
        for part in &self.parts {
            match part {
                Part::Text(text) => names.iter_mut().for_each(|name| name.push_str(text)),
                Part::Numbers(numbers) => {
                    let written: Vec<_> = numbers.iter().flat_map(Numbers::written).collect();
                    names = names
                        .iter()
                        .flat_map(|name| written.iter().map(move |number| format!("{name}{number}")))
                        .collect();
                }
            }
        }
        Some(names)
    }

    /// Of its fixed texts, whether one has this in it.
    pub(super) fn has_text(&self, wanted: impl Fn(char) -> bool) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains(&wanted)))
    }

    fn longest(&self) -> usize {
        let of_part = |part: &Part| match part {
            Part::Text(text) => text.len(),
            Part::Numbers(numbers) => numbers.iter().map(Numbers::digits).max().unwrap_or(0),
        };
        self.parts.iter().map(of_part).sum()
    }
}

impl Numbers {
    fn count(&self) -> u64 {
        (self.last - self.first) / self.step + 1
    }

    fn written(&self) -> impl Iterator<Item = String> {
        let (first, step, width) = (self.first, self.step, self.width);
        (0..self.count()).map(move |nth| format!("{:0width$}", first + nth * step))
    }

    fn digits(&self) -> usize {
        (self.last.checked_ilog10().unwrap_or(0) as usize + 1).max(self.width)
    }
}

/// Where the operands of a text lie, without blanks around them, and which operator is before each; the first has none.
pub(super) type Operands = Vec<(Option<char>, Range<usize>)>;

/// The operands between the operators that are outside of brackets.
pub(super) fn operands(text: &str, is_operator: impl Fn(char) -> bool) -> Result<Operands, NodeSetError> {
    let mut open = None;
    let mut before = (None, 0);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match (c, open) {
            ('[', None) => open = Some(at),
            ('[', Some(_)) => return Err(NodeSetError::new("a `[` within brackets", at..at + 1)),
            (']', None) => return Err(NodeSetError::new("a `]` without its `[`", at..at + 1)),
            (']', Some(_)) => open = None,
            (c, None) if is_operator(c) => {
                let (operator, start) = std::mem::replace(&mut before, (Some(c), at + c.len_utf8()));
                found.push((operator, trimmed(text, start..at)));
            }
            _ => {}
        }
    }
    if let Some(at) = open {
        return Err(NodeSetError::new("a `[` without its `]`", at..at + 1));
    }
    let (operator, start) = before;
    found.push((operator, trimmed(text, start..text.len())));
    Ok(found)
}

fn parse_brackets(text: &str, at: Range<usize>) -> Result<Vec<Numbers>, NodeSetError> {
    let mut start = at.start;
    let mut all = Vec::new();
    for item in text[at].split(',') {
        all.push(parse_range(text, trimmed(text, start..start + item.len()))?);
        start += item.len() + 1;
    }
    Ok(all)
}

fn parse_range(text: &str, at: Range<usize>) -> Result<Numbers, NodeSetError> {
    let item = &text[at.clone()];
    let (ends, step) = item.split_once('/').map_or((item, None), |(ends, step)| (ends, Some(step)));
    let (first, last) = ends.split_once('-').unwrap_or((ends, ends));
    let (first, last, step) = (first.trim(), last.trim(), step.map(str::trim));
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.len() <= DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let (Some(from), Some(to), Some(by)) = (number(first), number(last), number(step.unwrap_or("1"))) else {
        return Err(NodeSetError::new(format!("`{item}` is not a range such as `1-20`, `01-20` or `2-6/2`"), at));
    };
    let padded = |digits: &str| digits.len() > 1 && digits.starts_with('0');
    if to < from {
        return Err(NodeSetError::new(format!("the range `{item}` runs backwards"), at));
    }
    if by == 0 {
        return Err(NodeSetError::new(format!("the range `{item}` has a step of 0"), at));
    }
    if by != 1 && !ends.contains('-') {
        return Err(NodeSetError::new(format!("`{item}` has a step but no end"), at));
    }
    if (padded(first) || padded(last)) && first.len() != last.len() {
        return Err(NodeSetError::new(format!("the two ends of `{item}` are padded to different widths"), at));
    }
    let width = if padded(first) { first.len() } else { 0 };
    Ok(Numbers { first: from, last: to, step: by, width })
}

fn trimmed(text: &str, at: Range<usize>) -> Range<usize> {
    let inner = &text[at.clone()];
    let start = at.start + (inner.len() - inner.trim_start().len());
    start..(start + inner.trim().len())
}
