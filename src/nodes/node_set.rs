use std::collections::BTreeMap;
use std::ops::Range;

/// A list of names written short, as `node[01-20]`, `dc[1-2]n[2-6/2,9]` or `a,b[1-3]`: clush's notation without its algebra.
///
/// A range whose first number has leading zeros keeps that width: `[08-10]` is 08, 09, 10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSet {
    patterns: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Numbers(Vec<Numbers>),
}

/// Every `step`th number from `first` up to `last`, at least `width` digits wide.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Numbers {
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

impl NodeSet {
    /// More digits than these do not fit a number, and no host is counted so far.
    const DIGITS: usize = 18;
    /// A DNS name has no more bytes, so a pattern's fixed part has not either; it bounds what an expansion can take.
    const TEXT: usize = 253;

    /// Reads the notation; blanks around a comma do not matter.
    ///
    /// # Errors
    /// When a bracket is not closed, a range is none, or a name is missing between commas.
    pub fn parse(text: &str) -> Result<Self, NodeSetError> {
        let patterns = outer_commas(text)?.into_iter().map(|at| parse_pattern(text, at)).collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Its names in order, the last bracket counting fastest and repetitions kept; `None` where there are more than `most`.
    #[must_use]
    pub fn expand(&self, most: usize) -> Option<Vec<String>> {
        let mut all = Vec::new();
        for pattern in &self.patterns {
            let count = pattern.iter().fold(1_u64, |count, part| match part {
                Part::Text(_) => count,
                Part::Numbers(numbers) => {
                    count.saturating_mul(numbers.iter().map(Numbers::count).fold(0, u64::saturating_add))
                }
            });
            if count > most.saturating_sub(all.len()) as u64 {
                return None;
            }
            let mut names = vec![String::new()];
            for part in pattern {
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
            all.append(&mut names);
        }
        Some(all)
    }

    /// Names folded back: `node1`, `node2`, `node3` make `node[1-3]`; sorted within a fold, each name once.
    ///
    /// Reading the result again gives the same names, as long as none has a bracket, a comma or a blank in it.
    #[must_use]
    pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
        let mut shapes: Vec<Shape<'a>> = Vec::new();
        let mut known: BTreeMap<Vec<&'a str>, usize> = BTreeMap::new();
        for name in names {
            let (texts, numbers) = split_numbers(name);
            let at = *known.entry(texts.clone()).or_insert_with(|| {
                shapes.push(Shape { texts, members: Vec::new() });
                shapes.len() - 1
            });
            if let Some(shape) = shapes.get_mut(at) {
                shape.members.push(numbers.into_iter().map(|number| vec![number]).collect());
            }
        }
        shapes.into_iter().flat_map(Shape::fold).collect::<Vec<_>>().join(",")
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
}

/// Where the patterns lie that commas outside of brackets part.
fn outer_commas(text: &str) -> Result<Vec<Range<usize>>, NodeSetError> {
    let mut open = None;
    let mut start = 0;
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match (c, open) {
            ('[', None) => open = Some(at),
            ('[', Some(_)) => return Err(wrong("a `[` within brackets", at..at + 1)),
            (']', None) => return Err(wrong("a `]` without its `[`", at..at + 1)),
            (']', Some(_)) => open = None,
            (',', None) => {
                found.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    if let Some(at) = open {
        return Err(wrong("a `[` without its `]`", at..at + 1));
    }
    found.push(start..text.len());
    Ok(found.into_iter().map(|at| trimmed(text, at)).collect())
}

fn parse_pattern(text: &str, at: Range<usize>) -> Result<Vec<Part>, NodeSetError> {
    if at.is_empty() {
        return Err(wrong("a name is missing here", at.start.saturating_sub(1)..at.end));
    }
    let mut parts = Vec::new();
    let mut fixed = 0;
    let mut next = at.start;
    while next < at.end {
        let rest = &text[next..at.end];
        let stop = match rest.strip_prefix('[') {
            Some(inside) => {
                let close = next + 1 + inside.find(']').unwrap_or(inside.len());
                parts.push(Part::Numbers(parse_brackets(text, next + 1..close)?));
                close + 1
            }
            None => {
                let stop = next + rest.find('[').unwrap_or(rest.len());
                parts.push(Part::Text(text[next..stop].to_owned()));
                fixed += stop - next;
                stop
            }
        };
        next = stop;
    }
    if fixed > NodeSet::TEXT {
        return Err(wrong(format!("a name of more than {} bytes", NodeSet::TEXT), at));
    }
    Ok(parts)
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
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.len() <= NodeSet::DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let (Some(from), Some(to), Some(by)) = (number(first), number(last), number(step.unwrap_or("1"))) else {
        return Err(wrong(format!("`{item}` is not a range such as `1-20`, `01-20` or `2-6/2`"), at));
    };
    let padded = |digits: &str| digits.len() > 1 && digits.starts_with('0');
    if to < from {
        return Err(wrong(format!("the range `{item}` runs backwards"), at));
    }
    if by == 0 {
        return Err(wrong(format!("the range `{item}` has a step of 0"), at));
    }
    if padded(last) && first.len() != last.len() {
        return Err(wrong(format!("the two ends of `{item}` are padded to different widths"), at));
    }
    let width = if padded(first) { first.len() } else { 0 };
    Ok(Numbers { first: from, last: to, step: by, width })
}

fn trimmed(text: &str, at: Range<usize>) -> Range<usize> {
    let inner = &text[at.clone()];
    let start = at.start + (inner.len() - inner.trim_start().len());
    start..(start + inner.trim().len())
}

fn wrong(message: impl Into<String>, at: Range<usize>) -> NodeSetError {
    NodeSetError { message: message.into(), at }
}

/// Names that differ in their numbers only: the texts around the numbers, and for each member the numbers at each place.
struct Shape<'a> {
    texts: Vec<&'a str>,
    members: Vec<Vec<Vec<&'a str>>>,
}

impl Shape<'_> {
    /// Joins the members that differ in one place, place by place from the last, and writes what is left.
    fn fold(mut self) -> Vec<String> {
        for place in (0..self.texts.len() - 1).rev() {
            let mut joined: Vec<Vec<Vec<&str>>> = Vec::new();
            let mut known: BTreeMap<Vec<Vec<&str>>, usize> = BTreeMap::new();
            for mut member in self.members {
                let here = std::mem::take(&mut member[place]);
                let at = *known.entry(member.clone()).or_insert_with(|| {
                    joined.push(member);
                    joined.len() - 1
                });
                joined[at][place].extend(here);
            }
            for member in &mut joined {
                member[place].sort_unstable_by_key(|number| (number.len(), *number));
                member[place].dedup();
            }
            self.members = joined;
        }
        if self.texts.len() == 1 {
            self.members.truncate(1);
        }
        self.members.iter().map(|member| write_member(&self.texts, member)).collect()
    }
}

fn write_member(texts: &[&str], member: &[Vec<&str>]) -> String {
    let mut written = String::new();
    for (at, text) in texts.iter().enumerate() {
        written.push_str(text);
        match member.get(at).map(Vec::as_slice) {
            None => {}
            Some([one]) => written.push_str(one),
            Some(several) => {
                written.push('[');
                written.push_str(&runs(several).join(","));
                written.push(']');
            }
        }
    }
    written
}

/// `1`, `2`, `3`, `7` as `1-3`, `7`; sorted by length, then by value.
fn runs(numbers: &[&str]) -> Vec<String> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for number in numbers {
        match found.last_mut() {
            Some((first, last)) if follows(first, last, number) => *last = number,
            _ => found.push((number, number)),
        }
    }
    found
        .into_iter()
        .map(|(first, last)| if first == last { first.to_owned() } else { format!("{first}-{last}") })
        .collect()
}

/// Whether `next` is what a range from `first` writes after `last`.
fn follows(first: &str, last: &str, next: &str) -> bool {
    let width = if first.starts_with('0') { first.len() } else { 0 };
    last.parse::<u64>().is_ok_and(|last| format!("{:0width$}", last + 1) == next)
}

/// The texts around the numbers of a name, one more than there are numbers; a number too long for a range counts as text.
fn split_numbers(name: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    let (mut text_start, mut at) = (0, 0);
    while at < name.len() {
        let rest = &name[at..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits == 0 {
            at += rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            continue;
        }
        if digits <= NodeSet::DIGITS {
            texts.push(&name[text_start..at]);
            numbers.push(&name[at..at + digits]);
            text_start = at + digits;
        }
        at += digits;
    }
    texts.push(&name[text_start..]);
    (texts, numbers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::NodeSet;

    fn names(text: &str) -> Vec<String> {
        NodeSet::parse(text).unwrap().expand(100_000).unwrap()
    }

    #[test]
    fn the_notation_expands() {
        for (text, expected) in [
            ("node1", "node1"),
            ("node[1-3]", "node1 node2 node3"),
            ("node[08-10]", "node08 node09 node10"),
            ("node[098-101]", "node098 node099 node100 node101"),
            ("node[99-101]", "node99 node100 node101"),
            ("node[0-1,07,5]", "node0 node1 node07 node5"),
            ("n[2-6/2]", "n2 n4 n6"),
            ("n[1-6/4]", "n1 n5"),
            ("dc[1-2]n[1-2].lan", "dc1n1.lan dc1n2.lan dc2n1.lan dc2n2.lan"),
            ("a, b[1-2] ,c", "a b1 b2 c"),
            ("10.0.0.[9-11]", "10.0.0.9 10.0.0.10 10.0.0.11"),
        ] {
            assert_eq!(names(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_node_set_is_pointed_at() {
        for (text, message, at) in [
            ("", "a name is missing here", ""),
            ("a,,b", "a name is missing here", ","),
            ("n[1-3", "a `[` without its `]`", "["),
            ("n1]", "a `]` without its `[`", "]"),
            ("n[[1]]", "a `[` within brackets", "["),
            ("n[]", "`` is not a range such as `1-20`, `01-20` or `2-6/2`", ""),
            ("n[1-2,a-c]", "`a-c` is not a range such as `1-20`, `01-20` or `2-6/2`", "a-c"),
            ("n[1-2-3]", "`1-2-3` is not a range such as `1-20`, `01-20` or `2-6/2`", "1-2-3"),
            ("n[+1-2]", "`+1-2` is not a range such as `1-20`, `01-20` or `2-6/2`", "+1-2"),
            ("n[5-1]", "the range `5-1` runs backwards", "5-1"),
            ("n[1-5/0]", "the range `1-5/0` has a step of 0", "1-5/0"),
            ("n[1-020]", "the two ends of `1-020` are padded to different widths", "1-020"),
        ] {
            let error = NodeSet::parse(text).unwrap_err();
            assert_eq!((error.message.as_str(), &text[error.at]), (message, at), "{text}");
        }
    }

    #[test]
    fn an_explosion_is_noticed_before_it_happens() {
        let explosion = NodeSet::parse("a[0-999999999999999999][0-999999999999999999]n[1-9]").unwrap();
        assert_eq!(explosion.expand(10_000), None);
        assert_eq!(NodeSet::parse("a[1-3],b[1-3]").unwrap().expand(5), None);
        assert_eq!(NodeSet::parse("a[1-3],b[1-3]").unwrap().expand(6).map(|names| names.len()), Some(6));
    }

    #[test]
    fn names_fold_back() {
        for (names, folded) in [
            ("node1 node2 node3", "node[1-3]"),
            ("node3 node1 node2 node1", "node[1-3]"),
            ("node08 node09 node10 node12", "node[08-10,12]"),
            ("node9 node10 node09", "node[9,09-10]"),
            ("a b a", "a,b"),
            ("k8s-1.lan k8s-2.lan k8s-4.lan", "k8s-[1-2,4].lan"),
            ("dc1n1 dc1n2 dc2n1 dc2n2", "dc[1-2]n[1-2]"),
            ("dc1n1 dc1n2 dc2n1", "dc1n[1-2],dc2n1"),
            ("", ""),
        ] {
            assert_eq!(NodeSet::fold(names.split_whitespace()), folded);
        }
    }

    proptest! {
        #[test]
        fn folding_loses_and_invents_nothing(names in proptest::collection::btree_set("[a-b]?[0-9]{1,3}[.-]?[0-9]{0,2}", 1..60)) {
            let folded = NodeSet::fold(names.iter().map(String::as_str));
            let again = NodeSet::parse(&folded).unwrap().expand(10_000).unwrap();
            prop_assert_eq!(again.len(), names.len(), "{}", folded);
            prop_assert_eq!(again.into_iter().collect::<BTreeSet<_>>(), names);
        }

        #[test]
        fn a_range_folds_to_itself(first in 1_u64..2_000, count in 1_u64..200) {
            let text = format!("n[{first}-{}]", first + count);
            let expanded = names(&text);
            prop_assert_eq!(NodeSet::fold(expanded.iter().map(String::as_str)), text);
        }

        #[test]
        fn no_text_is_a_panic(text in r"[a\[\]\-,/0-9é ]{0,24}") {
            if let Ok(set) = NodeSet::parse(&text) {
                let _ = set.expand(1_000);
            }
        }
    }
}
